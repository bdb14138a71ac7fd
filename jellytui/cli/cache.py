"""cache: what it holds, what it would do, clearing it, keeping what is in it."""

from __future__ import annotations

from argparse import Namespace
from collections.abc import Sequence

from msgspec.structs import asdict

from jellytui.cli.output import count, print_json, say
from jellytui.cli.run import Session
from jellytui.engine.errors import NotFoundError
from jellytui.engine.models import CacheStep, CacheUse

_UNITS = ("kB", "MB", "GB", "TB")
_ACTS = {"fetch": "fetch", "withdraw": "stop", "evict": "remove", "leave": "leave"}
_ORIGINS = {
    "user": "your downloads",
    "stream": "streamed",
    "queue": "fetched for the queue",
    "album": "rests of albums",
}


async def show(session: Session, arguments: Namespace) -> int:
    """Shows the use by origin, the limit, what the cache was good for, and its settings."""
    use: CacheUse = await (await session.backend()).call("get_cache")
    if arguments.json:
        print_json(use)
        return 0
    for origin in use.uses:
        print(f"{_ORIGINS[origin.origin]:<22} {size(origin.bytes):>9}  {count(origin.files, 'track')}")
    print(f"{'the cache in all':<22} {size(use.cache_bytes):>9}  of {size(use.limit_bytes)}")
    if use.reserved_bytes:
        print(f"{'on its way':<22} {size(use.reserved_bytes):>9}")
    print(f"{'free on the disk':<22} {size(use.free_bytes):>9}")
    print(f"{'not fetched twice':<22} {size(use.bytes_saved):>9}  {count(use.plays, 'play')} from the cache")
    print("\nSettings, changed by `jellytui cache set NAME=VALUE`:")
    for name, value in asdict(use.settings).items():
        print(f"  {name:<26} {_written(name, value)}")
    if use.is_metered:
        say("The link is metered: nothing is fetched ahead until it is not ([cache] wifi_only).")
    return 0


async def plan(session: Session, arguments: Namespace) -> int:
    """Shows what the cache would do now, and why."""
    steps: Sequence[CacheStep] = await (await session.backend()).call("plan_cache")
    if arguments.json:
        print_json(steps)
        return 0
    for step in steps:
        print(f"{_ACTS[step.act]:<6}  {size(step.bytes):>9}  {step.item_id}  {step.name} · {step.reason}")
    if not steps:
        say("Nothing to fetch, nothing to remove.")
    return 0


async def clear(session: Session, _: Namespace) -> int:
    """Removes what only the cache wants."""
    freed: int = await (await session.backend()).call("clear_cache")
    say(f"{size(freed)} removed. Your own downloads, and what plays now, stay.")
    return 0


async def keep(session: Session, arguments: Namespace) -> int:
    """Makes cached tracks one's own; exits with 5 when one of them is not here, the others are kept all the same."""
    backend = await session.backend()
    kept = 0
    missing = []
    for item_id in dict.fromkeys(arguments.ids):
        try:
            kept += len(await backend.call("keep_cached", item_ids=[item_id]))
        except NotFoundError:
            missing.append(item_id)
    if kept:
        say(f"{count(kept, 'track')} kept.")
    if missing:
        raise NotFoundError(f"Not here yet: {', '.join(missing)}. Download it instead.")
    return 0


def _written(name: str, value: int | bool) -> str:
    if isinstance(value, bool):
        return "on" if value else "off"
    return size(value) if name == "storage_limit" else str(value)


def size(number: float) -> str:
    """ "512 kB", "1.4 MB", "10 GB": decimal, as disks are sold."""
    for unit in _UNITS:
        number /= 1000
        if number < 999.5 or unit == _UNITS[-1]:
            break
    return f"{number:.1f} {unit}" if 0 < number < 9.95 else f"{number:.0f} {unit}"
