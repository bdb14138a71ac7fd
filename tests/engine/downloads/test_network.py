"""What the link costs: from the kernel's files in a folder, and from a NetworkManager on a bus of its own."""

from __future__ import annotations

import asyncio
import shutil
import socket
from collections.abc import AsyncIterator
from ipaddress import ip_address
from pathlib import Path

import pytest
from dbus_fast import PropertyAccess
from dbus_fast.aio import MessageBus
from dbus_fast.service import ServiceInterface, dbus_property

from jellytui.engine.downloads.network import Cost, NetworkWatch
from jellytui.engine.downloads.network.cost import cost_of_default_route, is_on_link, is_this_machine, name_in_the_house
from tests.support.clock import ManualClock
from tests.support.waiting import until

FAR = "https://music.example.org"
ROUTES = "Iface\tDestination\tGateway\tFlags\tRefCnt\tUse\tMetric\tMask\tMTU\tWindow\tIRTT\n"
DEFAULT = "{}\t00000000\t0100A8C0\t0003\t0\t0\t{}\t00000000\t0\t0\t0\n"
OF_THE_VPN = "wg0\t0000080A\t00000000\t0001\t0\t0\t0\t00FFFFFF\t0\t0\t0\n"
BY_THE_VPN = "wg0\t0001A8C0\t00000000\t0001\t0\t0\t0\t00FFFFFF\t0\t0\t0\n"
BY_A_ROUTER = "enp3s0\t0000080A\t0100A8C0\t0003\t0\t0\t0\t00FFFFFF\t0\t0\t0\n"
WITHOUT_GATEWAY = "enp3s0\t00000000\t00000000\t0001\t0\t0\t0\t00000000\t0\t0\t0\n"
IN_THE_HOUSE = "{}\t0000A8C0\t00000000\t0001\t0\t0\t100\t00FFFFFF\t0\t0\t0\n"
NOWHERE = "unix:path=/nonexistent/bus"


class Machine:
    """A /proc and a /sys."""

    def __init__(self, folder: Path) -> None:
        self.proc, self.sys = folder / "proc", folder / "sys"
        (self.proc / "net").mkdir(parents=True)
        self.routes()

    def routes(self, *lines: str) -> None:
        (self.proc / "net" / "route").write_text(ROUTES + "".join(lines))

    def routes_6(self, *lines: str) -> None:
        (self.proc / "net" / "ipv6_route").write_text("".join(lines))

    def interface(self, name: str, *, kind: int = 1, devtype: str = "", is_hardware: bool = True) -> None:
        folder = self.sys / "class" / "net" / name
        folder.mkdir(parents=True)
        (folder / "type").write_text(f"{kind}\n")
        (folder / "uevent").write_text((f"DEVTYPE={devtype}\n" if devtype else "") + f"INTERFACE={name}\nIFINDEX=2\n")
        if is_hardware:
            (folder / "device").mkdir()

    def everything(self) -> None:
        """Ethernet, Wi-Fi, a phone's modem and a VPN."""
        self.interface("enp3s0")
        self.interface("wlan0", devtype="wlan")
        self.interface("wwan0", devtype="wwan")
        self.interface("wg0", kind=65534, devtype="wireguard", is_hardware=False)

    def cost(self) -> Cost:
        return cost_of_default_route(self.proc, self.sys)


@pytest.fixture
def machine(tmp_path: Path) -> Machine:
    return Machine(tmp_path)


@pytest.mark.parametrize(
    ("name", "kind", "devtype", "is_hardware", "cost"),
    [
        ("enp3s0", 1, "", True, Cost.FREE),
        ("wlan0", 1, "wlan", True, Cost.FREE),
        ("wwan0", 1, "wwan", True, Cost.METERED),
        ("wwp0s20u4", 519, "", True, Cost.METERED),
        ("ppp0", 512, "", False, Cost.METERED),
        ("tun0", 65534, "", False, Cost.UNKNOWN),
        ("wg0", 65534, "wireguard", False, Cost.UNKNOWN),
        ("eth0", 1, "", False, Cost.UNKNOWN),
        ("br0", 1, "bridge", False, Cost.UNKNOWN),
    ],
)
def test_an_interface_costs_what_its_kind_costs(
    machine: Machine, name: str, kind: int, devtype: str, is_hardware: bool, cost: Cost
) -> None:
    machine.interface(name, kind=kind, devtype=devtype, is_hardware=is_hardware)
    machine.routes(IN_THE_HOUSE.format(name), DEFAULT.format(name, 100))
    assert machine.cost() is cost


def test_the_default_route_with_the_least_metric_counts(machine: Machine) -> None:
    machine.interface("enp3s0")
    machine.interface("wwan0", devtype="wwan")
    machine.routes(DEFAULT.format("wwan0", 700), DEFAULT.format("enp3s0", 100))
    assert machine.cost() is Cost.FREE
    machine.routes(DEFAULT.format("wwan0", 50), DEFAULT.format("enp3s0", 100))
    assert machine.cost() is Cost.METERED


def test_where_only_ipv6_leads_out_its_default_route_counts(machine: Machine) -> None:
    machine.interface("wwan0", devtype="wwan")
    nothing, gateway = "0" * 32, "fe80" + "0" * 27 + "1"
    machine.routes_6(
        f"{nothing} 00 {nothing} 00 {nothing} ffffffff 00000001 00000000 00200200       lo\n",
        f"{nothing} 00 {nothing} 00 {gateway} 00000400 00000001 00000000 00000003    wwan0\n",
    )
    assert machine.cost() is Cost.METERED


def test_of_a_machine_without_a_default_route_nobody_knows(machine: Machine) -> None:
    machine.interface("wwan0", devtype="wwan")
    machine.routes(IN_THE_HOUSE.format("wwan0"))
    assert machine.cost() is Cost.UNKNOWN
    assert cost_of_default_route(machine.proc / "gone", machine.sys / "gone") is Cost.UNKNOWN


@pytest.mark.parametrize(
    ("url", "is_here", "name"),
    [
        ("http://localhost:8096", True, None),
        ("http://127.0.0.1:8096/jellyfin", True, "127.0.0.1"),
        ("http://[::1]:8096", True, "::1"),
        ("http://192.168.1.20:8096", False, "192.168.1.20"),
        ("http://10.0.0.2", False, "10.0.0.2"),
        ("http://[fd12::3]:8096", False, "fd12::3"),
        ("http://nas.local:8096", False, "nas.local"),
        ("http://nas.home.arpa:8096", False, "nas.home.arpa"),
        ("http://172.40.1.1", False, None),
        ("https://music.example.org", False, None),
        ("http://8.8.8.8", False, None),
    ],
)
def test_names_that_are_given_out_in_houses_are_told_from_others(url: str, is_here: bool, name: str | None) -> None:
    assert (is_this_machine(url), name_in_the_house(url)) == (is_here, name)


@pytest.mark.parametrize(
    ("routes", "address", "is_on"),
    [
        ([IN_THE_HOUSE.format("enp3s0")], "192.168.0.20", True),
        ([IN_THE_HOUSE.format("wlan0")], "192.168.0.20", True),
        ([IN_THE_HOUSE.format("wlan0")], "192.168.1.20", False),
        ([IN_THE_HOUSE.format("wwan0")], "192.168.0.20", False),
        ([DEFAULT.format("wlan0", 100), OF_THE_VPN], "10.8.0.1", False),
        ([IN_THE_HOUSE.format("wlan0"), BY_THE_VPN], "192.168.1.20", False),
        ([IN_THE_HOUSE.format("enp3s0"), BY_A_ROUTER], "10.8.0.1", False),
        ([DEFAULT.format("enp3s0", 100)], "10.8.0.1", False),
        ([WITHOUT_GATEWAY], "10.8.0.1", False),
        ([IN_THE_HOUSE.format("enp3s0")], "8.8.8.8", False),
    ],
)
def test_a_private_address_is_in_the_house_only_without_a_gateway_or_a_tunnel(
    machine: Machine, routes: list[str], address: str, is_on: bool
) -> None:
    machine.everything()
    machine.routes(*routes)
    assert is_on_link(ip_address(address), machine.proc, machine.sys) is is_on


@pytest.mark.parametrize(
    ("address", "is_on"),
    [("fd12::3", True), ("fd34::3", False), ("fd56::3", False), ("fe80::3%wlan0", True), ("fe80::3%wg0", False)],
)
def test_so_it_is_with_ipv6(machine: Machine, address: str, is_on: bool) -> None:
    machine.everything()
    nothing = "0" * 32
    machine.routes_6(
        f"fd12{'0' * 28} 40 {nothing} 00 {nothing} 00000100 00000001 00000000 00000001    wlan0\n",
        f"fd34{'0' * 28} 40 {nothing} 00 {nothing} 00000400 00000001 00000000 00000001      wg0\n",
        f"fe80{'0' * 28} 40 {nothing} 00 {nothing} 00000100 00000001 00000000 00000001    wlan0\n",
    )
    assert is_on_link(ip_address(address), machine.proc, machine.sys) is is_on


def test_without_routing_tables_a_private_address_is_in_the_house(tmp_path: Path) -> None:
    assert is_on_link(ip_address("192.168.1.20"), tmp_path, tmp_path)
    assert not is_on_link(ip_address("8.8.8.8"), tmp_path, tmp_path)


async def test_a_server_on_the_same_link_is_not_metered_and_behind_a_vpn_it_is(machine: Machine) -> None:
    machine.everything()
    at_home = [DEFAULT.format("wwan0", 100), IN_THE_HOUSE.format("wlan0")]
    machine.routes(*at_home)
    clock = ManualClock()
    watches = [
        NetworkWatch(server_url=url, clock=clock, proc=machine.proc, sysfs=machine.sys, bus_address=NOWHERE)
        for url in ("http://192.168.0.20:8096", "http://10.8.0.1:8096", "http://127.0.0.1:8096")
    ]
    for watch in watches:
        await watch.start()
    assert [watch.is_metered for watch in watches] == [False, True, False]

    machine.routes(DEFAULT.format("wwan0", 100), OF_THE_VPN)
    await until(lambda: clock.sleepers == 2)
    await clock.advance(10)
    await until(lambda: watches[0].is_metered)
    assert [watch.is_metered for watch in watches] == [True, True, False]
    for watch in watches:
        await watch.stop()


async def test_networkmanager_is_asked_about_a_server_behind_a_vpn_over_a_hotspot(machine: Machine, bus: str) -> None:
    machine.everything()
    machine.routes(DEFAULT.format("wlan0", 100), IN_THE_HOUSE.format("wlan0"), OF_THE_VPN)
    service = await MessageBus(bus).connect()
    service.export("/org/freedesktop/NetworkManager", FakeManager(metered=3))
    await service.request_name("org.freedesktop.NetworkManager")
    folders = {"proc": machine.proc, "sysfs": machine.sys}
    far = NetworkWatch(server_url="http://10.8.0.1:8096", clock=ManualClock(), bus_address=bus, **folders)
    await far.start()
    await until(lambda: far.cost is Cost.METERED)
    near = NetworkWatch(server_url="http://192.168.0.20:8096", clock=ManualClock(), bus_address=bus, **folders)
    await near.start()
    assert near.cost is Cost.FREE
    await far.stop()
    await near.stop()
    service.disconnect()


async def test_a_name_of_the_house_is_looked_up(machine: Machine, monkeypatch: pytest.MonkeyPatch) -> None:
    machine.everything()
    machine.routes(DEFAULT.format("wwan0", 100), IN_THE_HOUSE.format("wlan0"), OF_THE_VPN)
    found = {"nas.lan": "192.168.0.20", "vpn.lan": "10.8.0.1"}

    async def look_up(host: str, *_: object) -> list[tuple[object, ...]]:
        if host not in found:
            raise socket.gaierror("no such name")
        return [(socket.AF_INET, socket.SOCK_STREAM, 6, "", (found[host], 0))]

    monkeypatch.setattr(asyncio.get_running_loop(), "getaddrinfo", look_up)
    costs = []
    for host in ("nas.lan", "vpn.lan", "gone.lan"):
        watch = NetworkWatch(
            server_url=f"http://{host}:8096",
            clock=ManualClock(),
            proc=machine.proc,
            sysfs=machine.sys,
            bus_address=NOWHERE,
        )
        await watch.start()
        costs.append(watch.cost)
        await watch.stop()
    assert costs == [Cost.FREE, Cost.METERED, Cost.METERED]


async def test_a_changed_route_is_seen_within_ten_seconds_and_told_once(machine: Machine) -> None:
    machine.interface("enp3s0")
    machine.interface("wwan0", devtype="wwan")
    machine.routes(DEFAULT.format("enp3s0", 100))
    clock, told = ManualClock(), []
    watch = NetworkWatch(server_url=FAR, clock=clock, proc=machine.proc, sysfs=machine.sys, bus_address=NOWHERE)
    unsubscribe = watch.subscribe(lambda: told.append(watch.is_metered))
    await watch.start()
    await until(lambda: clock.sleepers)
    machine.routes(DEFAULT.format("wwan0", 100))
    await clock.advance(10)
    await clock.advance(10)
    assert told == [True]
    unsubscribe()
    machine.routes()
    await clock.advance(10)
    assert (told, watch.cost) == ([True], Cost.UNKNOWN)
    await watch.stop()


class FakeManager(ServiceInterface):
    """NetworkManager as far as it matters."""

    def __init__(self, metered: int) -> None:
        super().__init__("org.freedesktop.NetworkManager")
        self._metered = metered

    @dbus_property(access=PropertyAccess.READ)
    def Metered(self) -> "u":  # type: ignore[name-defined]  # noqa: F821, N802, UP037 - dbus-fast's way
        return self._metered

    def set(self, metered: int) -> None:
        """The user connects elsewhere."""
        self._metered = metered
        self.emit_properties_changed({"Metered": metered})


@pytest.fixture
async def bus(tmp_path: Path) -> AsyncIterator[str]:
    """The address of a bus of our own."""
    if shutil.which("dbus-daemon") is None:
        pytest.skip("dbus-daemon is not installed")
    config = tmp_path / "bus.conf"
    config.write_text(
        "<!DOCTYPE busconfig PUBLIC '-//freedesktop//DTD D-Bus Bus Configuration 1.0//EN'"
        " 'http://www.freedesktop.org/standards/dbus/1.0/busconfig.dtd'>"
        f"<busconfig><listen>unix:path={tmp_path / 'bus'}</listen><policy context='default'>"
        "<allow user='*'/><allow own='*'/><allow send_destination='*' eavesdrop='true'/><allow eavesdrop='true'/>"
        "</policy></busconfig>"
    )
    daemon = await asyncio.create_subprocess_exec(
        "dbus-daemon", f"--config-file={config}", "--nofork", "--print-address", stdout=asyncio.subprocess.PIPE
    )
    assert daemon.stdout is not None
    yield (await daemon.stdout.readline()).decode().strip()
    daemon.terminate()
    await daemon.wait()


async def test_networkmanagers_word_counts_more_than_the_interface_and_is_followed(machine: Machine, bus: str) -> None:
    machine.interface("wlan0", devtype="wlan")
    machine.routes(DEFAULT.format("wlan0", 100))
    service = await MessageBus(bus).connect()
    manager = FakeManager(metered=3)
    service.export("/org/freedesktop/NetworkManager", manager)
    await service.request_name("org.freedesktop.NetworkManager")
    watch = NetworkWatch(server_url=FAR, clock=ManualClock(), proc=machine.proc, sysfs=machine.sys, bus_address=bus)
    await watch.start()
    await until(lambda: watch.cost is Cost.METERED)
    manager.set(4)
    await until(lambda: watch.cost is Cost.FREE)
    manager.set(1)
    await until(lambda: watch.cost is Cost.METERED)
    # It does not know: then the interface tells.
    manager.set(0)
    await until(lambda: watch.cost is Cost.FREE)
    manager.set(1)
    await until(lambda: watch.cost is Cost.METERED)
    # It ends.
    service.disconnect()
    await until(lambda: watch.cost is Cost.FREE)
    await watch.stop()


async def test_a_networkmanager_that_comes_later_is_heard(machine: Machine, bus: str) -> None:
    watch = NetworkWatch(server_url=FAR, clock=ManualClock(), proc=machine.proc, sysfs=machine.sys, bus_address=bus)
    await watch.start()
    assert watch.cost is Cost.UNKNOWN
    service = await MessageBus(bus).connect()
    service.export("/org/freedesktop/NetworkManager", FakeManager(metered=1))
    await service.request_name("org.freedesktop.NetworkManager")
    await until(lambda: watch.cost is Cost.METERED)
    service.disconnect()
    await watch.stop()
