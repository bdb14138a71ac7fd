"""What may be typed after `jellytui`: the parser alone, so that a wrong word costs no start-up."""

from __future__ import annotations

import argparse
from typing import Any, Protocol

from jellytui import __version__

STATUSES = ("pending", "downloading", "completed", "failed", "paused")


def parser() -> argparse.ArgumentParser:
    """The whole command line. `handler` of the result names module and function below jellytui.cli, "" for the app."""
    top = argparse.ArgumentParser(
        prog="jellytui",
        description="The music player for people who keep their music on a Jellyfin server and live in a terminal.",
        epilog="Without a command the app opens. Exit codes: 0 done, 1 failed, 2 usage, 3 not signed in, "
        "4 server unreachable, 5 not found.",
    )
    top.add_argument("--version", action="version", version=f"jellytui {__version__}")
    top.set_defaults(handler="")
    verbs = top.add_subparsers(title="commands", metavar="COMMAND")
    _account_verbs(verbs)
    _library_verbs(verbs)
    _download_verbs(verbs)
    _cache_verb(verbs)
    _player_verbs(verbs)
    _demo_verb(verbs)
    doctor = _verb(verbs, "doctor", "doctor:run", "check what jellytui needs, and say how to mend it")
    _json(doctor)
    return top


class Verbs(Protocol):
    """What `add_subparsers` gives (argparse has no public name for it)."""

    def add_parser(self, name: str, *, help: str, description: str) -> argparse.ArgumentParser:  # noqa: A002
        """Adds a verb."""


def _verb(verbs: Verbs, name: str, handler: str, summary: str) -> argparse.ArgumentParser:
    verb = verbs.add_parser(name, help=summary, description=summary[0].upper() + summary[1:])
    verb.set_defaults(handler=handler)
    return verb


def _settings_verb(verbs: Verbs, section: str, summary: str) -> None:
    change = _verb(verbs, "set", "settings:change", summary)
    change.add_argument("values", nargs="+", metavar="NAME=VALUE", help=f"as in config.toml, below [{section}]")
    change.set_defaults(section=section)


def _json(verb: argparse.ArgumentParser) -> None:
    verb.add_argument("--json", action="store_true", help="one JSON document instead of lines")


def _account_verbs(verbs: Verbs) -> None:
    login = _verb(verbs, "login", "account:login", "sign in to a server")
    login.add_argument("url", metavar="URL", help="the server's address, as you would type it into a browser")
    login.add_argument("--user", metavar="NAME", help="asked for when left out")
    way = login.add_mutually_exclusive_group()
    way.add_argument("--password-stdin", action="store_true", help="read the password from standard input")
    way.add_argument("--quick-connect", action="store_true", help="show a code to enter where you are signed in")
    _verb(verbs, "logout", "account:logout", "sign out; what was downloaded stays")


def _library_verbs(verbs: Verbs) -> None:
    sync = _verb(verbs, "sync", "library:sync", "bring the library on this machine up to date")
    sync.add_argument("--full", action="store_true", help="read everything again, not only what changed")
    _json(sync)
    search = _verb(verbs, "search", "library:search", "find artists, albums, tracks and playlists")
    search.add_argument("words", nargs="+", metavar="WORDS")
    search.add_argument("--limit", type=int, default=50, metavar="N", help="at most N of each kind (50)")
    _json(search)
    for name, summary in (
        ("show", "show an item, and the tracks of an album, artist or playlist"),
        ("lyrics", "print the words of a track"),
    ):
        verb = _verb(verbs, name, f"library:{name}", summary)
        verb.add_argument("id", metavar="ID")
        _json(verb)
    cover = _verb(verbs, "cover", "library:cover", "print where an item's cover lies, as a file")
    cover.add_argument("id", metavar="ID")
    favorite = _verb(verbs, "favorite", "library:favorite", "make something a favourite")
    favorite.add_argument("ids", nargs="+", metavar="ID")
    favorite.add_argument("--remove", action="store_true", help="make it none any more")


def _download_verbs(verbs: Verbs) -> None:
    download = _verb(verbs, "download", "downloads:download", "download tracks, or everything of an album, …")
    download.add_argument("ids", nargs="*", metavar="ID")
    kind = download.add_mutually_exclusive_group()
    for name in ("album", "artist", "playlist"):
        kind.add_argument(f"--{name}", dest="kind", action="store_const", const=name, help=f"the ids are {name}s")
    kind.add_argument("--favorites", dest="kind", action="store_const", const="favorites", help="all favourite tracks")
    download.set_defaults(kind="item")
    download.add_argument("--wait", action="store_true", help="stay until all of it is here")
    _json(download)

    downloads = _verb(verbs, "downloads", "downloads:show", "list downloads, or pause, resume, cancel, delete them")
    downloads.add_argument("--status", choices=STATUSES)
    _json(downloads)
    acts = downloads.add_subparsers(title="what to do", metavar="WHAT")
    for name, summary in (
        ("pause", "pause downloads"),
        ("resume", "resume paused or failed downloads"),
        ("cancel", "cancel downloads and delete what is half here"),
        ("delete", "delete completed downloads"),
        ("first", "put downloads before all others"),
        ("anyway", "let downloads go over a link that costs money"),
    ):
        act = _verb(acts, name, f"downloads:{name}", summary)
        act.add_argument("ids", nargs="+", type=int, metavar="ID", help="as `jellytui downloads` lists them")
    _verb(acts, "pause-all", "downloads:pause_all", "pause all, also those to come")
    _verb(acts, "resume-all", "downloads:resume_all", "let all go on")
    _verb(acts, "clear", "downloads:clear", "take completed downloads off the list; the files stay")
    _verb(acts, "retry", "downloads:retry", "try failed downloads again")
    unfollow = _verb(acts, "unfollow", "downloads:unfollow", "let downloaded playlists follow the server's no more")
    unfollow.add_argument("ids", nargs="*", metavar="ID", help="of playlists")
    unfollow.add_argument("--favorites", action="store_true", help="the favourite tracks")

    _settings_verb(acts, "downloads", "write settings to config.toml and go by them at once: concurrency, max_rate")

    verify = _verb(acts, "verify", "upkeep:verify", "compare the downloads with what is on the disk")
    verify.add_argument("--repair", action="store_true", help="mend what differs")
    verify.add_argument("--deep", action="store_true", help="read every file to its end, too")
    _json(verify)
    move = _verb(acts, "move", "upkeep:move", "move all downloads to another folder")
    move.add_argument("folder", metavar="DIR", help="empty, or not there yet")
    _json(move)

    export = _verb(verbs, "export", "upkeep:export", "copy downloaded music out, named by artist, album and title")
    export.add_argument("folder", metavar="DIR")
    export.add_argument("--album", dest="albums", nargs="+", action="extend", metavar="ID", help="only these albums")
    export.add_argument("--hardlink", action="store_true", help="second names of the same files instead of copies")
    _json(export)

    offline = verbs.add_parser("offline", help="what is on this machine", description="What is on this machine")
    what = offline.add_subparsers(title="what to ask", metavar="WHAT", required=True)
    _json(_verb(what, "items", "offline:items", "list the tracks that play without the server"))
    search = _verb(what, "search", "offline:search", "search the tracks that play without the server")
    search.add_argument("words", nargs="+", metavar="WORDS")
    _json(search)
    has = _verb(what, "has", "offline:has", "exit with 0 when a track plays without the server, with 5 when not")
    has.add_argument("id", metavar="ID")
    _json(has)


def _cache_verb(verbs: Verbs) -> None:
    cache = _verb(verbs, "cache", "cache:show", "what is here of what was not asked for, and steering it")
    _json(cache)
    what = cache.add_subparsers(title="what to do", metavar="WHAT")
    _json(_verb(what, "plan", "cache:plan", "show what would be fetched or removed now, and why"))
    _verb(what, "clear", "cache:clear", "remove what only the cache wants; your own downloads stay")
    _settings_verb(what, "cache", "write settings to config.toml and go by them at once, as storage_limit=20GB")
    keep = _verb(what, "keep", "cache:keep", "make cached tracks your own, so that they stay")
    keep.add_argument("ids", nargs="+", metavar="ID")


def _player_verbs(verbs: Verbs) -> None:
    play = _verb(verbs, "play", "player:play", "play without a screen until the end or ctrl+c; without ID, go on")
    play.add_argument("ids", nargs="*", metavar="ID")
    kind = play.add_mutually_exclusive_group()
    for name in ("album", "artist", "playlist"):
        kind.add_argument(f"--{name}", dest="kind", action="store_const", const=name, help=f"ID names this {name}")
    play.set_defaults(kind="item")
    add = _verb(verbs, "add", "player:add", "put tracks at the end of the queue")
    add.add_argument("ids", nargs="+", metavar="ID")
    add.add_argument("--next", action="store_true", help="right after the track that plays")
    for name, command, summary in (
        ("pause", "pause", "pause the music"),
        ("toggle", "toggle_pause", "pause, or go on"),
        ("stop", "stop", "stop the music"),
        ("next", "next_track", "play the next track"),
        ("previous", "previous_track", "play the previous track"),
        ("shuffle", "toggle_shuffle", "shuffle the queue, or put it back in order"),
        ("mute", "toggle_mute", "mute, or not"),
    ):
        _verb(verbs, name, "player:simple", summary).set_defaults(command=command)
    seek = _verb(verbs, "seek", "player:seek", "go to a place in the track")
    seek.add_argument("to", metavar="M:SS|+S|-S", help="1:30, or 10 seconds on (+10) or back (-10)")
    volume = _verb(verbs, "volume", "player:volume", "set the volume, or change it")
    volume.add_argument("to", metavar="N|+N|-N", help="0 to 100, or by so much")
    repeat = _verb(verbs, "repeat", "player:repeat", "repeat nothing, the queue or the track")
    repeat.add_argument("mode", choices=("off", "all", "one"))
    _queue_verb(verbs)
    _json(_verb(verbs, "devices", "player:devices", "list the audio devices, as [player] audio_device takes them"))
    _json(_verb(verbs, "status", "player:status", "what plays, and where"))


def _queue_verb(verbs: Verbs) -> None:
    queue = _verb(verbs, "queue", "player:queue", "list the queue, or change it")
    _json(queue)
    what = queue.add_subparsers(title="what to do", metavar="WHAT")
    place: dict[str, Any] = {"type": int, "metavar": "N", "help": "as `jellytui queue` numbers them"}
    _verb(what, "play", "player:queue_play", "play what is at this place").add_argument("place", **place)
    remove = _verb(what, "remove", "player:queue_remove", "take tracks off the queue")
    remove.add_argument("places", nargs="+", **place)
    move = _verb(what, "move", "player:queue_move", "move a track to another place")
    move.add_argument("place", **place)
    move.add_argument("to", type=int, metavar="TO", help="the place where it then is")
    _verb(what, "clear", "player:simple", "empty the queue").set_defaults(command="clear_queue")


def _demo_verb(verbs: Verbs) -> None:
    demo = _verb(verbs, "demo", "", "try the app on music of its own, or on a folder; no server, no account")
    demo.set_defaults(handler="demo")
    demo.add_argument("folder", nargs="?", metavar="FOLDER", help="serve the music in this folder")
    demo.add_argument("--port", type=int, default=0, metavar="N", help="listen on this port of 127.0.0.1")
    demo.add_argument("--serve-only", action="store_true", help="only the server; prints its address")
    demo.add_argument("--emulate", choices=("12", "10.11"), default="12", help="answer as this Jellyfin does")
    demo.add_argument("--synthetic", type=int, metavar="N", help="serve N made-up tracks instead of a folder")
    demo.add_argument("--seed", type=int, default=1, metavar="N", help="other made-up tracks")
    demo.add_argument("--faults", metavar="FILE", help="break answers as this TOML file says")
    demo.add_argument(
        "--rate", type=int, default=0, metavar="KB", help="send at most so many kilobytes a second in all"
    )
    demo.add_argument("--delay", type=int, default=0, metavar="MS", help="wait so many milliseconds in each direction")
    demo.add_argument("--with-parent", action="store_true", help=argparse.SUPPRESS)  # ends when standard input does
    demo.add_argument("--discovery", action="store_true", help="be found by UDP on port 7359, as real servers are")
    _json(demo)
