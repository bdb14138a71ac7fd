"""`make bench`: every measurement as a ratio within one run; absolute numbers are this machine's, now."""

from __future__ import annotations

import importlib
import sys

BENCHES = (
    "first_paint",
    "first_sample",
    "streaming_cpu",
    "cache_simulation",
    "cache_decisions",
    "demo_server",
    "throughput",
    "queueing",
    "keys",
    "sync",
)


def main(names: list[str]) -> int:
    """Runs the named benches, or all."""
    for name in names or BENCHES:
        print(f"== {name}")
        importlib.import_module(f"tests.bench.{name}").run()
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
