"""The one registry of what a person can do: it feeds key bindings, key hints, help and palette.

An action runs the method `action_<name>` of the screen or the app; where there is none it sends its engine command.
Keys are Textual's names; they are those of peers.md 4, the tabs 1 to 4 as drawn in looks.md.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Any, Literal

Place = Literal["everywhere", "library", "search", "downloads", "playing", "queue"]
LISTS: tuple[Place, ...] = ("library", "search")


@dataclass(frozen=True)
class Action:
    """One thing to do: its words, its keys, where they work, and the engine command behind it, if it is just that."""

    name: str
    title: str
    keys: tuple[str, ...]
    places: tuple[Place, ...] = ("everywhere",)
    hint: str = ""
    """One word for the key line; empty when it never stands there."""
    command: str = ""
    is_about_row: bool = False
    """Whether it is about the row under the cursor: then it is never done on a screen that was not seen before."""
    is_only_here: bool = False
    """Whether it is about moving on a screen, and senseless from another one."""
    arguments: Mapping[str, Any] = field(default_factory=lambda: MappingProxyType({}))


def _engine(name: str, title: str, keys: tuple[str, ...], command: str, hint: str = "", **arguments: Any) -> Action:
    return Action(name, title, keys, hint=hint, command=command, arguments=MappingProxyType(arguments))


_ALL = (
    # Screens
    Action("show_library", "Library", ("1",)),
    Action("show_downloads", "Downloads", ("2",)),
    Action("show_playing", "Now playing", ("3", "i"), hint="playing"),
    Action("show_queue", "Queue", ("4",)),
    Action("search", "Search the library as you type", ("slash",), hint="search"),
    # Lists
    Action("play", "Play from here", ("enter",), (*LISTS, "downloads", "queue"), hint="play", is_about_row=True),
    Action("enqueue", "Add to the end of the queue", ("a", "e"), LISTS, hint="queue", is_about_row=True),
    Action("play_next", "Play next", ("E",), LISTS, hint="next", is_about_row=True),
    Action("download", "Download", ("d",), (*LISTS, "playing", "queue"), hint="download", is_about_row=True),
    Action("delete_download", "Delete the download", ("D",), (*LISTS, "downloads"), hint="delete", is_about_row=True),
    Action(
        "favorite",
        "Favourite, or not any more",
        ("f",),
        (*LISTS, "playing", "queue"),
        hint="favourite",
        is_about_row=True,
    ),
    Action(
        "next_view",
        "Next view: artists, albums, tracks, playlists, favourites, downloaded",
        ("v",),
        ("library",),
        hint="view",
    ),
    Action("previous_view", "Previous view", ("V",), ("library",)),
    Action("view_artists", "Artists", (), ("library",)),
    Action("view_albums", "Albums", (), ("library",)),
    Action("view_tracks", "All tracks", (), ("library",)),
    Action("view_playlists", "Playlists", (), ("library",)),
    Action("view_favorites", "Favourites", (), ("library",)),
    Action("view_downloaded", "What is downloaded", (), ("library",)),
    Action("filter", "Filter this list", ("L",), ("library", "downloads"), hint="filter"),
    Action(
        "pane_left",
        "Pane to the left, back",
        ("h", "backspace", "escape"),
        ("library",),
        hint="back",
        is_only_here=True,
    ),
    Action("pane_right", "Pane to the right, open", ("l",), LISTS, hint="open", is_only_here=True),
    Action("next_pane", "Next pane", ("tab",), ("library",), is_only_here=True),
    Action("previous_pane", "Previous pane", ("shift+tab",), ("library",), is_only_here=True),
    Action("close_search", "Back to where the search began", ("escape",), ("search",), hint="back", is_only_here=True),
    # Downloads
    Action("pause_download", "Pause this download, or go on", ("p",), ("downloads",), hint="pause", is_about_row=True),
    Action("pause_all", "Pause all downloads", ("P",), ("downloads",), hint="pause all"),
    Action("resume_all", "Resume all downloads", ("R",), ("downloads",), hint="resume all"),
    Action("cancel_download", "Cancel this download", ("x",), ("downloads",), hint="cancel", is_about_row=True),
    Action("prioritize", "This download first", ("plus",), ("downloads",), hint="first", is_about_row=True),
    Action(
        "download_anyway",
        "Download over the metered link",
        ("A",),
        ("downloads",),
        hint="anyway",
        is_about_row=True,
    ),
    Action("keep", "Keep what is cached, as one's own", ("K",), ("downloads",), hint="keep", is_about_row=True),
    Action(
        "clear_completed",
        "Clear the tab, files stay; on the cache tab, remove what is cached",
        ("C",),
        ("downloads",),
        hint="clear",
    ),
    Action("retry_failed", "Try all failed downloads again", ("t",), ("downloads",), hint="try again"),
    Action("sort", "Other order: as they come, album, name, size", ("o",), ("downloads",), hint="order"),
    Action("next_tab", "Next tab", ("tab", "l"), ("downloads",), hint="next tab", is_only_here=True),
    Action("previous_tab", "Previous tab", ("shift+tab", "h"), ("downloads",), is_only_here=True),
    Action("drop_filter", "Show all again", ("escape",), ("downloads",), hint="all", is_only_here=True),
    # Queue and now playing
    Action("remove_entry", "Remove from the queue", ("D",), ("queue",), hint="remove", is_about_row=True),
    Action("move_down", "Move down", ("J",), ("queue",), hint="down", is_about_row=True),
    Action("move_up", "Move up", ("K",), ("queue",), hint="up", is_about_row=True),
    Action("clear_queue", "Clear the queue", ("C",), ("queue",), hint="clear"),
    Action("follow_lyrics", "Lyrics follow the song, or stay", ("l",), ("playing",), hint="lyrics"),
    # Playback
    _engine("toggle_pause", "Pause, go on", ("space", "c"), "toggle_pause", hint="pause"),
    _engine("stop", "Stop", ("x",), "stop", hint="stop"),
    _engine("next_track", "Next track", ("greater_than_sign", "b"), "next_track", hint="next"),
    _engine("previous_track", "Previous track", ("less_than_sign", "z"), "previous_track", hint="previous"),
    _engine("seek_forward", "5 seconds on", ("right",), "seek_by", hint="seek", offset_ms=5_000),
    _engine("seek_back", "5 seconds back", ("left",), "seek_by", hint="seek", offset_ms=-5_000),
    _engine("minute_forward", "A minute on", ("full_stop",), "seek_by", offset_ms=60_000),
    _engine("minute_back", "A minute back", ("comma",), "seek_by", offset_ms=-60_000),
    _engine("volume_up", "Louder", ("plus", "equals_sign"), "change_volume", hint="volume", by=5),
    _engine("volume_down", "Quieter", ("minus",), "change_volume", hint="volume", by=-5),
    _engine("volume_up_a_bit", "A little louder", ("right_square_bracket",), "change_volume", by=1),
    _engine("volume_down_a_bit", "A little quieter", ("left_square_bracket",), "change_volume", by=-1),
    _engine("mute", "Mute", ("m",), "toggle_mute", hint="mute"),
    _engine("shuffle", "Shuffle", ("s",), "toggle_shuffle", hint="shuffle"),
    _engine("repeat", "Repeat off, all, one", ("r",), "cycle_repeat", hint="repeat"),
    # The library as a whole
    _engine("sync", "Sync the library with the server", ("u",), "sync_library", hint="sync"),
    _engine("full_sync", "Read the whole library anew", (), "sync_library", full=True),
    _engine("cancel_sync", "Cancel the sync", (), "cancel_sync"),
    # The downloads as a whole
    Action("undo", "Undo deleting or cancelling a download", ("U",), hint="undo"),
    Action("download_favorites", "Download all favourites, and those to come", ()),
    Action("unfollow_favorites", "Download new favourites no more", ()),
    _engine("verify_downloads", "Check the downloads against the disk", (), "verify_downloads"),
    _engine("repair_downloads", "Check the downloads and mend what differs", (), "verify_downloads", repair=True),
    # The app
    Action("command_line", "Command line", ("colon",)),
    Action("palette", "All commands", ("ctrl+p",)),
    Action("help", "Keys and what they do", ("question_mark", "f1"), hint="help"),
    Action("settings", "Settings", ("f2",), hint="settings"),
    Action("login", "Sign in", ()),
    Action("next_theme", "Next theme", ()),
    Action("quit", "Quit", ("q", "ctrl+q"), hint="quit"),
)

ACTIONS: Mapping[str, Action] = MappingProxyType({action.name: action for action in _ALL})


def actions_at(place: Place) -> Iterable[Action]:
    """The actions of one place, in the order in which help shows them."""
    return (action for action in ACTIONS.values() if place in action.places)
