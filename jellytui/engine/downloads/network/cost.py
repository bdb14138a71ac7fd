"""What a link costs, read from the kernel's files: pure over the two folders (downloads-playback.md 5.1)."""

from __future__ import annotations

import enum
import ipaddress
from pathlib import Path
from urllib.parse import urlsplit

_ETHERNET, _RAW_IP, _PPP = 1, 519, 512
"""ARPHRD_… of linux/if_arp.h: what /sys/class/net/X/type says."""
_ROUTE_IS_UP = 0x1
_NO_ROUTE = 0x200
"""RTF_REJECT of linux/route.h: a route that leads nowhere."""

_NAMES_IN_THE_HOUSE = (".localhost", ".local", ".lan", ".home.arpa", ".internal")


class Cost(enum.Enum):
    """Whether bytes over the link cost money."""

    FREE = "free"
    METERED = "metered"
    UNKNOWN = "unknown"


def is_near(server_url: str) -> bool:
    """Whether the server is this machine or in this house: then no byte goes over a metered link."""
    host = urlsplit(server_url).hostname or ""
    if host == "localhost" or host.endswith(_NAMES_IN_THE_HOUSE):
        return True
    try:
        address = ipaddress.ip_address(host.partition("%")[0])
    except ValueError:
        return False
    return address.is_loopback or address.is_private or address.is_link_local


def cost_of_default_route(proc: Path, sysfs: Path) -> Cost:
    """What the interface of the default route costs by its kind; unknown where there is none, or of another kind."""
    interface = default_interface(proc)
    return Cost.UNKNOWN if interface is None else cost_of_interface(sysfs / "class" / "net" / interface)


def default_interface(proc: Path) -> str | None:
    """The interface of the default route with the least metric, IPv4 before IPv6."""
    routes = _ipv4_defaults(proc / "net" / "route") or _ipv6_defaults(proc / "net" / "ipv6_route")
    return min(routes)[1] if routes else None


def cost_of_interface(folder: Path) -> Cost:
    """Cellular costs money; Ethernet and Wi-Fi do not; of tunnels, bridges and the like nobody knows."""
    kind = _text(folder / "type").strip()
    facts = _text(folder / "uevent").splitlines()
    if "DEVTYPE=wwan" in facts or kind in (str(_PPP), str(_RAW_IP)):
        return Cost.METERED
    if "DEVTYPE=wlan" in facts or (folder / "wireless").exists() or (folder / "phy80211").exists():
        return Cost.FREE
    is_hardware = (folder / "device").exists()
    return Cost.FREE if kind == str(_ETHERNET) and is_hardware else Cost.UNKNOWN


def _ipv4_defaults(path: Path) -> list[tuple[int, str]]:
    """(metric, interface) of each; columns: Iface Destination Gateway Flags RefCnt Use Metric Mask …"""
    routes = []
    for line in _text(path).splitlines()[1:]:
        columns = line.split()
        if len(columns) < 8 or (columns[1], columns[7]) != ("00000000", "00000000"):
            continue
        if _leads_somewhere(columns[3]):
            routes.append((int(columns[6]), columns[0]))
    return routes


def _ipv6_defaults(path: Path) -> list[tuple[int, str]]:
    """Columns: destination, its prefix, source, its prefix, next hop, metric, references, uses, flags, interface."""
    routes = []
    for line in _text(path).splitlines():
        columns = line.split()
        if len(columns) < 10 or (columns[0], columns[1]) != ("0" * 32, "00"):
            continue
        if _leads_somewhere(columns[8]) and columns[9] != "lo":
            routes.append((int(columns[5], 16), columns[9]))
    return routes


def _leads_somewhere(flags: str) -> bool:
    number = int(flags, 16)
    return bool(number & _ROUTE_IS_UP) and not number & _NO_ROUTE


def _text(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8", errors="replace")
    except OSError:
        return ""
