"""What a link costs, read from the kernel's files: pure over the two folders (downloads-playback.md 5.1)."""

from __future__ import annotations

import enum
import ipaddress
import sys
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit

Address = ipaddress.IPv4Address | ipaddress.IPv6Address

_ETHERNET, _RAW_IP, _PPP = 1, 519, 512
"""ARPHRD_… of linux/if_arp.h: what /sys/class/net/X/type says."""
_ROUTE_IS_UP = 0x1
_ROUTE_HAS_GATEWAY = 0x2
_NO_ROUTE = 0x200
"""RTF_REJECT of linux/route.h: a route that leads nowhere."""

_NAMES_IN_THE_HOUSE = (".local", ".lan", ".home.arpa", ".internal")


class Cost(enum.Enum):
    """Whether bytes over the link cost money."""

    FREE = "free"
    METERED = "metered"
    UNKNOWN = "unknown"


@dataclass(frozen=True)
class _Route:
    network: ipaddress.IPv4Network | ipaddress.IPv6Network
    metric: int
    interface: str
    flags: int

    @property
    def leads_somewhere(self) -> bool:
        return bool(self.flags & _ROUTE_IS_UP) and not self.flags & _NO_ROUTE

    @property
    def has_gateway(self) -> bool:
        return bool(self.flags & _ROUTE_HAS_GATEWAY)


def is_this_machine(server_url: str) -> bool:
    """Whether the server is this machine: then no byte goes over any link."""
    host = urlsplit(server_url).hostname or ""
    address = address_of(host)
    return host == "localhost" or host.endswith(".localhost") or (address is not None and address.is_loopback)


def name_in_the_house(server_url: str) -> str | None:
    """The server's name or address if it is one that is given out in houses: it may be here, or behind a VPN."""
    host = urlsplit(server_url).hostname or ""
    address = address_of(host)
    is_private = address is not None and (address.is_private or address.is_link_local)
    return host if is_private or host.endswith(_NAMES_IN_THE_HOUSE) else None


def address_of(host: str) -> Address | None:
    """The address that a host is written as; None for a name."""
    try:
        return ipaddress.ip_address(host)
    except ValueError:
        return None


def is_on_link(address: Address, proc: Path, sysfs: Path) -> bool:
    """Whether an address is reached without a gateway by Ethernet or Wi-Fi: then no byte leaves the house.

    Without a routing table (macOS) every private address is taken to be in the house.
    """
    table = proc / "net" / ("route" if address.version == 4 else "ipv6_route")
    if not table.exists():
        return address.is_private or address.is_link_local
    routes = _ipv4_routes(table) if address.version == 4 else _ipv6_routes(table)
    leading = [route for route in routes if route.network.prefixlen and address in route.network]
    if not leading:
        return False
    best = min(leading, key=lambda route: (-route.network.prefixlen, route.metric))
    zone = address.scope_id if isinstance(address, ipaddress.IPv6Address) else None
    interface = zone.removeprefix("25") if zone else best.interface  # in addresses of the web "%" is written "%25"
    is_free = interface == "lo" or cost_of_interface(sysfs / "class" / "net" / interface) is Cost.FREE
    return is_free and not best.has_gateway


def cost_of_default_route(proc: Path, sysfs: Path) -> Cost:
    """What the interface of the default route costs by its kind; unknown where there is none, or of another kind."""
    interface = default_interface(proc)
    return Cost.UNKNOWN if interface is None else cost_of_interface(sysfs / "class" / "net" / interface)


def default_interface(proc: Path) -> str | None:
    """The interface of the default route with the least metric, IPv4 before IPv6."""
    folder = proc / "net"
    for routes in (_ipv4_routes(folder / "route"), _ipv6_routes(folder / "ipv6_route")):
        defaults = [(route.metric, route.interface) for route in routes if route.network.prefixlen == 0]
        defaults = [default for default in defaults if default[1] != "lo"]
        if defaults:
            return min(defaults)[1]
    return None


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


def _ipv4_routes(path: Path) -> list[_Route]:
    """Columns: Iface Destination Gateway Flags RefCnt Use Metric Mask …; addresses in the machine's own byte order."""
    routes = []
    for line in _text(path).splitlines()[1:]:
        columns = line.split()
        if len(columns) >= 8:
            network = f"{_ipv4(columns[1])}/{_ipv4(columns[7])}"
            routes.append(
                _Route(ipaddress.ip_network(network, strict=False), int(columns[6]), columns[0], int(columns[3], 16))
            )
    return [route for route in routes if route.leads_somewhere]


def _ipv6_routes(path: Path) -> list[_Route]:
    """Columns: destination, its prefix, source, its prefix, next hop, metric, references, uses, flags, interface."""
    routes = []
    for line in _text(path).splitlines():
        columns = line.split()
        if len(columns) >= 10:
            network = ipaddress.IPv6Network((bytes.fromhex(columns[0]), int(columns[1], 16)), strict=False)
            routes.append(_Route(network, int(columns[5], 16), columns[9], int(columns[8], 16)))
    return [route for route in routes if route.leads_somewhere]


def _ipv4(column: str) -> ipaddress.IPv4Address:
    return ipaddress.IPv4Address(int(column, 16).to_bytes(4, sys.byteorder))


def _text(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8", errors="replace")
    except OSError:
        return ""
