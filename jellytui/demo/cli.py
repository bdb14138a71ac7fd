"""`jellytui demo … --serve-only`: serves a folder, or the composed library, until it is told to stop."""

import asyncio
import json
import os
import signal
import sys
from dataclasses import dataclass
from pathlib import Path

from jellytui.demo.discovery import DISCOVERY_PORT
from jellytui.demo.faults.relay import Line
from jellytui.demo.library import Library, tag_of
from jellytui.demo.server import DemoServer
from jellytui.demo.wire.emulation import emulation

_INPUT = 0
_WATCH_SECONDS = 2.0
_MOST_TRACKS = 5_000_000


@dataclass(frozen=True, slots=True)
class ServeOptions:
    """What the command line can ask for. `cache` is the folder for the composed library and for what must be kept.

    `faults` is a TOML file of faults; `rate` (bytes a second, 0 = no limit) and `delay` (seconds) make a bad network;
    `synthetic` is a number of made-up tracks that follow from `seed`; with `discovery` the server answers on UDP 7359;
    with `with_parent` it ends when its standard input does.
    """

    cache: Path
    folder: Path | None = None
    port: int = 0
    emulate: str = "12"
    json_output: bool = False
    faults: Path | None = None
    rate: int = 0
    delay: float = 0.0
    synthetic: int | None = None
    seed: int = 1
    discovery: bool = False
    with_parent: bool = False


def compose_library(cache: Path) -> Path:
    """The composed library in the cache folder, made when it is not there yet; progress goes to stderr."""
    from jellytui.demo.composer import compose

    def progress(done: int, total: int) -> None:
        end = "\n" if done == total else ""
        sys.stderr.write(f"\rComposing some music: {done} of {total}{end}")
        sys.stderr.flush()

    return compose(cache / "demo-music", progress)


def open_server(options: ServeOptions) -> DemoServer:
    """The server that the options ask for, not started yet.

    Raises ValueError for what cannot be served, an unknown version or a wrong fault, OSError for a folder or file of
    faults that is none.
    """
    emulate = emulation(options.emulate)
    folder, library = _served(options)
    state = options.cache / "demo-state" / f"{tag_of(folder.resolve())}.sqlite"
    slow = options.rate > 0 or options.delay > 0
    server = DemoServer(
        folder,
        library=library,
        port=options.port,
        emulate=emulate,
        name="jellytui demo",
        state_file=state,
        relay=options.faults is not None,
        line=Line(options.rate, options.delay) if slow else None,
        discovery_port=DISCOVERY_PORT if options.discovery else None,
        watch_seconds=_WATCH_SECONDS if options.folder else None,
    )
    if options.faults is not None:
        server.faults.load(options.faults)
    for skipped in server.library.skipped:
        sys.stderr.write(f"{skipped.file}: {skipped.reason}\n")
    return server


def _served(options: ServeOptions) -> tuple[Path, Library | None]:
    if options.synthetic is not None:
        if options.folder is not None:
            raise ValueError("--synthetic makes its own tracks: leave FOLDER out")
        if not 0 < options.synthetic <= _MOST_TRACKS:
            raise ValueError(f"--synthetic takes 1 to {_MOST_TRACKS:,} tracks")
        from jellytui.demo.synthetic.library import SyntheticLibrary

        return Path(f"/synthetic/{options.synthetic}-{options.seed}"), SyntheticLibrary(options.synthetic, options.seed)
    if options.folder is not None and not options.folder.is_dir():
        raise NotADirectoryError(f"{options.folder} is not a folder")
    return options.folder or compose_library(options.cache), None


def serve(options: ServeOptions) -> int:
    """Serves until SIGINT or SIGTERM; one line on stdout says where, once it answers. Returns the exit code."""
    try:
        server = open_server(options)
    except OSError as error:
        sys.stderr.write(f"{error.filename}: {error.strerror}\n" if error.filename else f"{error}\n")
        return 1
    except ValueError as error:
        sys.stderr.write(f"{error}\n")
        return 1
    return asyncio.run(_run(server, options))


async def _run(server: DemoServer, options: ServeOptions) -> int:
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGINT, signal.SIGTERM):
        loop.add_signal_handler(number, stop.set)
    try:
        await server.start()
    except OSError as error:
        ports = f"Port {options.port}" + (f" or UDP port {DISCOVERY_PORT}" if options.discovery else "")
        sys.stderr.write(f"{ports} cannot be used: {error.strerror}. Choose another with --port.\n")
        return 1
    told = {"url": server.url, "user": server.user, "password": server.password}
    words = (
        f"Serving {len(server.library.tracks)} tracks at {server.url} (user {server.user}, password {server.password})"
    )
    sys.stdout.write((json.dumps(told) if options.json_output else words) + "\n")
    sys.stdout.flush()
    if options.with_parent:
        loop.add_reader(_INPUT, stop.set)  # nobody writes there: it is readable once it has closed
    elif options.folder is not None and not options.json_output and os.isatty(_INPUT):
        sys.stdout.write("The folder is watched; r and Enter reads it again at once, ctrl+c ends.\n")
        loop.add_reader(_INPUT, _on_key, server)
    await stop.wait()
    loop.remove_reader(_INPUT)
    await server.shut_down()
    return 0


def _on_key(server: DemoServer) -> None:
    line = sys.stdin.readline()
    if not line:
        asyncio.get_running_loop().remove_reader(_INPUT)
    elif line.strip().lower() == "r" and server.world.rescan is not None:
        server.world.rescan()
