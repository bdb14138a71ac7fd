"""Which server is doubled: the differences between versions by name (jellyfin-api.md 1, 16, 17)."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Emulation:
    """One server version and its manners."""

    version: str
    legacy_authorization: bool
    """`X-Emby-Token`, `api_key`, the scheme `Emby` and `/emby` paths still count (3.2)."""
    merges_names: bool
    """Artists and genres that differ in punctuation are one, under the folder's name (6.1a)."""
    is_12: bool
    """The rest: what 12 does one way and 10.11 another, named where it is asked."""


SERVER_12 = Emulation("12.0.0", legacy_authorization=False, merges_names=True, is_12=True)
SERVER_10_11 = Emulation("10.11.11", legacy_authorization=True, merges_names=False, is_12=False)


def emulation(name: str) -> Emulation:
    """The emulation for `12` or `10.11`. Raises ValueError for another name."""
    known = {"12": SERVER_12, "12.0": SERVER_12, "10.11": SERVER_10_11}
    if name not in known:
        raise ValueError(f"cannot emulate {name!r}: choose 12 or 10.11")
    return known[name]
