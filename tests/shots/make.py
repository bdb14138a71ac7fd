"""`make screenshots`: the app, run in a terminal on the demo server, led to its screens and drawn as PNG.

Everything is real: the server composes its library, the engine syncs, plays into the void (ao=null) and downloads, held
back so that bars are seen. What is drawn is what the terminal got. No picture shows a token: no screen ever does.
"""

from __future__ import annotations

import json
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from tests.shots.picture import INSTALL, NoFontError, Painter
from tests.support.program import JELLYTUI, Home
from tests.support.terminal import Terminal

FOLDER = Path(__file__).resolve().parents[2] / "screenshots"
SIZES = ((80, 24), (140, 40))
PLAYED, COMING = "Raíces", ("Vivo en Sevilla", "Norðurljós", "Harbour Lights")
"""The album that plays from the disk, and those that come down."""

RATE = 2_400_000
"""Bytes per second of the downloads in the pictures: as through a usual line, and slow enough to be seen."""


def main() -> int:
    """Takes all pictures; returns the exit code."""
    try:
        painter = Painter()
    except NoFontError as error:
        sys.stderr.write(f"{error}\n")
        return 1
    FOLDER.mkdir(exist_ok=True)
    with demo_server() as url, tempfile.TemporaryDirectory() as folder:
        for columns, rows in SIZES:

            def take(name: str, terminal: Terminal, size: str = f"{columns}x{rows}") -> None:
                picture = painter.draw(terminal.screen).quantize(256)
                picture.save(FOLDER / f"{name}-{size}.png", optimize=True)
                sys.stdout.write(f"screenshots/{name}-{size}.png\n")

            shoot_login(Home.make(Path(folder) / f"new-{columns}"), url, (columns, rows), take)
            shoot_screens(Home.make(Path(folder) / f"home-{columns}"), url, (columns, rows), take)
    if painter.missing:
        sys.stderr.write(f"No font has {' '.join(sorted(painter.missing))}: {INSTALL}\n")
    return 0


@contextmanager
def demo_server() -> Iterator[str]:
    """The address of a demo server on the library that it composes once and keeps for `make demo`."""
    words = [*JELLYTUI, "demo", "--serve-only", "--json"]
    with subprocess.Popen(words, stdout=subprocess.PIPE, text=True, start_new_session=True) as server:
        try:
            line = server.stdout.readline() if server.stdout else ""
            if not line:
                sys.exit("The demo server did not start; what it said stands above.")
            yield json.loads(line)["url"]
        finally:
            server.terminate()


def shoot_login(home: Home, url: str, size: tuple[int, int], take: Callable[[str, Terminal], None]) -> None:
    """The first start: nobody is signed in."""
    with open_app(home, size) as terminal:
        terminal.wait_for("Sign in to your Jellyfin server")
        terminal.send(url.removeprefix("http://"))
        terminal.rest()
        terminal.send("\r")
        terminal.wait_for("✓")
        terminal.send("demo")
        terminal.rest()
        take("login", terminal)


def shoot_screens(home: Home, url: str, size: tuple[int, int], take: Callable[[str, Terminal], None]) -> None:
    """Library, downloads, playing, queue, search and help, while an album plays and two come down."""
    home.sign_in(url)
    home.run("sync", seconds=120)
    home.json("download", album_id(home, PLAYED), "--album", "--wait")
    config = home.folder / "config" / "config.toml"
    config.write_text(f"{config.read_text(encoding='utf-8')}\n[downloads]\nmax_rate = {RATE}\n", encoding="utf-8")
    with open_app(home, size) as terminal:
        terminal.wait_for("ARTISTS")
        coming = [album_id(home, name) for name in COMING]
        play(terminal)
        for album in coming:
            home.json("download", album, "--album")
        terminal.wait_for("MB/s")
        take("library", terminal)
        terminal.send("2")
        terminal.wait_for(lambda text: text.count("MB/s") >= 4)
        terminal.rest()
        take("downloads", terminal)
        for key, name in (("3", "playing"), ("4", "queue")):
            terminal.send(key)
            terminal.rest()
            take(name, terminal)
        terminal.send("/")
        terminal.rest()
        terminal.send("ra")
        terminal.rest(1.2)
        take("search", terminal)
        terminal.send("\x1b")
        terminal.rest()
        terminal.send("1?")
        terminal.rest()
        take("help", terminal)
        terminal.send("q")
        terminal.rest()
        terminal.send("q")
        terminal.wait_for_exit()


def play(terminal: Terminal) -> None:
    """Plays the song that the completed album is named after, to the middle of its words."""
    terminal.send("gj")
    terminal.wait_for(lambda text: "ALBUMS  Alma Verde" in text)
    terminal.send("l")
    terminal.rest()
    terminal.send("g")
    while f"TRACKS  {PLAYED}" not in terminal.text:
        terminal.send("j")
        terminal.rest()
    terminal.send("l")
    terminal.rest()
    terminal.send("gjj\r")
    terminal.wait_for("from disk")
    for _ in range(4):
        terminal.send("\x1b[C")
        terminal.rest()


def album_id(home: Home, name: str) -> str:
    """The id of the album of that name."""
    found: str = next(item["id"] for item in home.json("search", name) if item["type"] == "album")
    return found


def open_app(home: Home, size: tuple[int, int]) -> Terminal:
    """The app in a terminal."""
    return Terminal(JELLYTUI, columns=size[0], rows=size[1], environment={"JELLYTUI_HOME": str(home.folder)})


if __name__ == "__main__":
    sys.exit(main())
