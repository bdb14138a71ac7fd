"""Each fault does to a client what its name says (jellyfin-api.md 17.2)."""

import asyncio
from pathlib import Path

import httpx
import pytest
from websockets.asyncio.client import connect
from websockets.exceptions import InvalidStatus

from jellytui.demo.faults.relay import Line
from jellytui.demo.faults.rules import Faults
from jellytui.demo.library import DemoTrack
from jellytui.demo.server import DemoServer
from tests.support.signed_in import signed_in
from tests.support.waiting import until

DOWNLOAD = "/items/*/download"


def first(server: DemoServer) -> DemoTrack:
    return server.library.tracks[0]


async def read_body(client: httpx.AsyncClient, path: str) -> tuple[bytes, Exception | None]:
    body = b""
    try:
        async with client.stream("GET", path, headers={"Accept-Encoding": "identity"}) as answer:
            async for chunk in answer.aiter_raw():
                body += chunk
    except httpx.TransportError as error:
        return body, error
    return body, None


async def test_without_faults_the_relay_changes_nothing(faulty_server: DemoServer) -> None:
    async with signed_in(faulty_server) as client:
        body, error = await read_body(client, f"/Items/{first(faulty_server).id}/Download")
        created = await client.post("/Playlists", json={"Name": "x", "Ids": [first(faulty_server).id]})
    assert (body, error) == (first(faulty_server).file.read_bytes(), None)
    assert created.status_code == 200


@pytest.mark.parametrize(("kind", "expected"), [("reset", httpx.ReadError), ("close", httpx.RemoteProtocolError)])
async def test_a_cut_answer_brings_its_first_bytes_and_an_error(
    faulty_server: DemoServer, kind: str, expected: type[Exception]
) -> None:
    fault = faulty_server.faults.add(kind, route=DOWNLOAD, after_bytes=5000, times=1)
    path = f"/Items/{first(faulty_server).id}/Download"
    async with signed_in(faulty_server) as client:
        body, error = await read_body(client, path)
        again, no_error = await read_body(client, path)
    assert isinstance(error, expected)
    assert len(body) <= 5000
    assert (again, no_error) == (first(faulty_server).file.read_bytes(), None)
    assert fault.hits == 1


async def test_a_stalled_answer_stays_open_and_silent(faulty_server: DemoServer) -> None:
    faulty_server.faults.add("stall", route=DOWNLOAD, after_bytes=1000)
    async with signed_in(faulty_server) as client:
        client.timeout = httpx.Timeout(0.3)
        body, error = await read_body(client, f"/Items/{first(faulty_server).id}/Download")
    assert isinstance(error, httpx.ReadTimeout)
    assert len(body) == 1000


async def test_a_slow_line_may_become_fast_and_tells_what_it_sent(faulty_server: DemoServer) -> None:
    drip = faulty_server.faults.add("drip", route=DOWNLOAD, rate=1000)
    song = first(faulty_server)
    size = song.file.stat().st_size
    async with signed_in(faulty_server) as client:
        reading = asyncio.create_task(read_body(client, f"/Items/{song.id}/Download"))
        await until(lambda: faulty_server.sent and faulty_server.sent[-1].body_bytes)
        assert faulty_server.sent[-1].body_bytes < size
        drip.rate = 0
        body, _ = await reading
        answer = await client.get(f"/Items/{song.id}/Download", headers={"Range": "bytes=100-199"})
    assert body == song.file.read_bytes()
    assert answer.content == body[100:200]
    whole, part = faulty_server.sent[-2:]
    assert (whole.range, whole.body_bytes) == ("", size)
    assert (part.path, part.range, part.body_bytes) == (f"/Items/{song.id}/Download", "bytes=100-199", 100)


async def test_a_lie_about_the_length_promises_more_than_comes(faulty_server: DemoServer) -> None:
    faulty_server.faults.add("lie", route=DOWNLOAD, extra_bytes=10)
    async with signed_in(faulty_server) as client:
        body, error = await read_body(client, f"/Items/{first(faulty_server).id}/Download")
    assert isinstance(error, httpx.RemoteProtocolError)
    assert body == first(faulty_server).file.read_bytes()


async def test_a_corrupt_byte_is_the_only_difference(faulty_server: DemoServer) -> None:
    faulty_server.faults.add("corrupt", route=DOWNLOAD, after_bytes=4321)
    async with signed_in(faulty_server) as client:
        body, _ = await read_body(client, f"/Items/{first(faulty_server).id}/Download")
    whole = first(faulty_server).file.read_bytes()
    assert [place for place in range(len(whole)) if whole[place] != body[place]] == [4321]


async def test_the_nth_call_and_no_more_than_so_many_times(demo_server: DemoServer) -> None:
    demo_server.faults.add("status", route="/items/counts", status=503, body="busy", nth=2, times=2)
    async with signed_in(demo_server) as client:
        codes = [(await client.get("/Items/Counts")).status_code for _ in range(5)]
    assert codes == [200, 503, 503, 200, 200]


async def test_rows_vanish_and_double_and_totals_lie(demo_server: DemoServer) -> None:
    demo_server.faults.add("rows", route="/items", drop=[0], duplicate=[1])
    demo_server.faults.add("set", route="/items", values={"TotalRecordCount": 99})
    async with signed_in(demo_server) as client:
        page = (await client.get("/Items?recursive=true&includeItemTypes=MusicAlbum&sortBy=SortName&limit=3")).json()
    names = [row["Name"] for row in page["Items"]]
    assert len(names) == 3
    assert names[0] == names[1]
    assert page["TotalRecordCount"] == 99


async def test_a_range_that_is_ignored_brings_the_whole_file(demo_server: DemoServer) -> None:
    demo_server.faults.add("ignore_range", route=DOWNLOAD)
    async with signed_in(demo_server) as client:
        answer = await client.get(f"/Items/{first(demo_server).id}/Download", headers={"Range": "bytes=100-"})
    assert answer.status_code == 200
    assert answer.content == first(demo_server).file.read_bytes()


async def test_json_that_ends_too_soon_is_no_json(demo_server: DemoServer) -> None:
    demo_server.faults.add("truncate", route="/system/info/public", after_bytes=40)
    with pytest.raises(ValueError, match=r"Unterminated|Expecting"):
        (await _get(demo_server)).json()


async def test_a_login_page_comes_with_200_and_html(demo_server: DemoServer) -> None:
    demo_server.faults.add("html", route="/system/info/public")
    answer = await _get(demo_server)
    assert (answer.status_code, answer.headers["content-type"]) == (200, "text/html; charset=utf-8")


async def test_json_may_begin_with_a_byte_order_mark(demo_server: DemoServer) -> None:
    demo_server.faults.add("bom", route="/system/info/public")
    assert (await _get(demo_server)).content.startswith(b"\xef\xbb\xbf{")


async def _get(server: DemoServer) -> httpx.Response:
    async with httpx.AsyncClient() as client:
        return await client.get(f"{server.url}/System/Info/Public")


async def test_a_slow_line_takes_its_time(small_library: Path) -> None:
    async with DemoServer(small_library, line=Line(rate=100_000)) as server, signed_in(server) as client:
        began = asyncio.get_running_loop().time()
        track = first(server)
        await read_body(client, f"/Audio/{track.id}/stream?static=true")
        assert asyncio.get_running_loop().time() - began >= track.size / 100_000 * 0.8


async def test_all_connections_share_a_slow_line(small_library: Path) -> None:
    async with DemoServer(small_library, line=Line(rate=200_000)) as server, signed_in(server) as client:
        began = asyncio.get_running_loop().time()
        path = f"/Audio/{first(server).id}/stream?static=true"
        answers = await asyncio.gather(*(read_body(client, path) for _ in range(3)))
        took = asyncio.get_running_loop().time() - began
    size = first(server).size
    assert [len(body) for body, _ in answers] == [size] * 3
    assert took >= 3 * size / 200_000 * 0.8


async def test_rows_may_hold_what_no_client_knows_and_the_clock_may_be_wrong(demo_server: DemoServer) -> None:
    demo_server.faults.add("set_rows", route="/items", values={"Type": "Hologram"})
    demo_server.faults.add("headers", route="/items", headers={"Date": "Mon, 01 Jan 2001 00:00:00 GMT"})
    async with signed_in(demo_server) as client:
        answer = await client.get("/Items?recursive=true&includeItemTypes=Audio&limit=2")
    assert [row["Type"] for row in answer.json()["Items"]] == ["Hologram"] * 2
    assert answer.headers.get_list("date") == ["Mon, 01 Jan 2001 00:00:00 GMT"]


async def test_a_socket_is_refused_and_flooded_as_told(demo_server: DemoServer) -> None:
    demo_server.faults.add("refuse_socket", route="/socket", status=503, times=1)
    demo_server.faults.add("socket_text", route="/socket", body="no json", copies=3)
    demo_server.faults.add("socket_bytes", route="/socket", body="x" * 3_000_000)
    url = demo_server.url.replace("http", "ws", 1) + "/socket"
    async with signed_in(demo_server) as client:
        header = {"Authorization": client.headers["Authorization"]}
        with pytest.raises(InvalidStatus, match="503"):
            await connect(url, additional_headers=header, proxy=None)
        async with connect(url, additional_headers=header, proxy=None, max_size=None) as socket:
            got = [await socket.recv() for _ in range(5)]
    assert got[:3] == ["no json"] * 3
    assert got[3] == b"x" * 3_000_000
    assert "ForceKeepAlive" in str(got[4])


def test_a_file_of_faults_is_read_and_a_wrong_one_is_named(tmp_path: Path) -> None:
    faults, file = Faults(), tmp_path / "faults.toml"
    file.write_text('seed = 7\n[[fault]]\nkind = "status"\nroute = "/items"\nstatus = 500\nprobability = 0.5\n')
    faults.load(file)
    struck = [bool(faults.striking("GET", "/items", wire=False)) for _ in range(20)]
    assert {True, False} == set(struck)
    file.write_text('[[fault]]\nkind = "explode"\n')
    with pytest.raises(ValueError, match=r"faults\.toml, fault 1: no fault is called 'explode'"):
        faults.load(file)
