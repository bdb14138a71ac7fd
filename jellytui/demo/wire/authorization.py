"""Who is asking: the parser of the Authorization header and the places of a token (jellyfin-api.md 3.1, 3.2)."""

from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass
from urllib.parse import unquote_plus

from jellytui.demo.wire.emulation import Emulation
from jellytui.demo.wire.query import Query


@dataclass(frozen=True, slots=True)
class ClientInfo:
    """What a request says about its client; None where it says nothing."""

    client: str | None = None
    device: str | None = None
    device_id: str | None = None
    version: str | None = None
    token: str | None = None

    @property
    def identity(self) -> tuple[str, str, str, str]:
        """Client, device, device id and version, empty where missing."""
        return self.client or "", self.device or "", self.device_id or "", self.version or ""

    @property
    def is_complete(self) -> bool:
        """Whether all is there that a login needs."""
        return all(self.identity)


def client_info(headers: Mapping[str, str], query: Query, emulation: Emulation) -> ClientInfo:
    """Reads header and query; the first place with a token wins and no other is tried (3.2)."""
    header = headers.get("authorization") or ""
    if not header and emulation.legacy_authorization:
        header = headers.get("x-emby-authorization", "")
    pairs = parse_authorization(header, legacy=emulation.legacy_authorization)
    places = [pairs.get("Token")]
    if emulation.legacy_authorization:
        places += [headers.get("x-emby-token"), headers.get("x-mediabrowser-token")]
    places.append(query.text("ApiKey"))
    if emulation.legacy_authorization:
        places.append(query.text("api_key"))
    return ClientInfo(
        client=pairs.get("Client"),
        device=pairs.get("Device"),
        device_id=pairs.get("DeviceId"),
        version=pairs.get("Version"),
        token=next((token for token in places if token), None),
    )


def parse_authorization(header: str, *, legacy: bool) -> dict[str, str]:
    """The pairs of a header, by the server's loop: quotes toggle, commas end a pair, no escapes."""
    scheme, space, rest = header.partition(" ")
    if not space or scheme.lower() not in ({"mediabrowser", "emby"} if legacy else {"mediabrowser"}):
        return {}
    pairs: dict[str, str] = {}
    quoted, key, start = False, "", 0
    for place, char in enumerate(rest):
        if char == '"':
            quoted = not quoted
        elif char == "," and not quoted:
            if key:
                pairs[key] = _value(rest[start:place])
            key, start = "", place + 1
        elif char == "=" and not quoted:
            key, start = rest[start:place].strip(), place + 1
    if key:
        pairs[key] = _value(rest[start:])
    return pairs


def _value(text: str) -> str:
    with suppress(UnicodeError):
        text = text.encode("latin-1").decode("utf-8")
    return unquote_plus(text.strip('"'))
