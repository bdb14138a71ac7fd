"""`jellytui demo … --serve-only`: serves a folder, or the composed library, until it is told to stop."""

import asyncio
import json
import signal
import sys
from dataclasses import dataclass
from pathlib import Path

from jellytui.demo.faults.relay import Line
from jellytui.demo.library import tag_of
from jellytui.demo.server import DemoServer
from jellytui.demo.wire.emulation import emulation


@dataclass(frozen=True, slots=True)
class ServeOptions:
    """What the command line can ask for. `cache` is the folder for the composed library and for what must be kept.

    `faults` is a TOML file of faults; `rate` (bytes a second, 0 = no limit) and `delay` (seconds) make a bad network.
    """

    cache: Path
    folder: Path | None = None
    port: int = 0
    emulate: str = "12"
    json_output: bool = False
    faults: Path | None = None
    rate: int = 0
    delay: float = 0.0


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

    Raises ValueError for an unknown version or a wrong fault, OSError for a folder or file of faults that is none.
    """
    emulate = emulation(options.emulate)
    if options.folder is not None and not options.folder.is_dir():
        raise NotADirectoryError(f"{options.folder} is not a folder")
    folder = options.folder or compose_library(options.cache)
    state = options.cache / "demo-state" / f"{tag_of(folder.resolve())}.sqlite"
    slow = options.rate > 0 or options.delay > 0
    server = DemoServer(
        folder,
        port=options.port,
        emulate=emulate,
        name="jellytui demo",
        state_file=state,
        relay=options.faults is not None,
        line=Line(options.rate, options.delay) if slow else None,
    )
    if options.faults is not None:
        server.faults.load(options.faults)
    for skipped in server.library.skipped:
        sys.stderr.write(f"{skipped.file}: {skipped.reason}\n")
    return server


def serve(options: ServeOptions) -> int:
    """Serves until SIGINT or SIGTERM; one line on stdout says where, once it answers. Returns the exit code."""
    try:
        server = open_server(options)
    except (ValueError, OSError) as error:
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
        sys.stderr.write(f"Port {options.port} cannot be used: {error.strerror}. Choose another with --port.\n")
        return 1
    told = {"url": server.url, "user": server.user, "password": server.password}
    words = (
        f"Serving {len(server.library.tracks)} tracks at {server.url} (user {server.user}, password {server.password})"
    )
    sys.stdout.write((json.dumps(told) if options.json_output else words) + "\n")
    sys.stdout.flush()
    await stop.wait()
    await server.stop()
    return 0
