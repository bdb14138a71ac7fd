"""Prints every requirement of pyproject.toml, for `make constraints`."""

import tomllib
from pathlib import Path

project = tomllib.loads(Path("pyproject.toml").read_text(encoding="utf-8"))
ranges = [
    *project["build-system"]["requires"],
    *project["project"]["dependencies"],
    *project["project"]["optional-dependencies"]["demo"],
    *project["dependency-groups"]["dev"],
]
print("\n".join(sorted(ranges)))  # noqa: T201
