"""A carelessly typed address -> the servers that may be meant; pure (jellyfin-api.md 4.5)."""

from __future__ import annotations

import re
from urllib.parse import SplitResult, urljoin, urlsplit, urlunsplit

from jellytui.engine.errors import UsageError

_SCHEME = re.compile(r"[A-Za-z][A-Za-z0-9+.-]*://")
_PAGES = ("web", "api-docs")
"""What a browser shows in its address line below the base path."""


def candidates(typed: str) -> list[str]:
    """The base URLs to try, the likeliest first; encrypted before plain where nothing was said. Raises UsageError."""
    typed = typed.strip()
    has_scheme = _SCHEME.match(typed) is not None
    parts = _split(typed if has_scheme else f"http://{typed}")
    if has_scheme:
        places = [(parts.scheme, parts.port)]
        if parts.port is None:
            places.append((parts.scheme, 8920 if parts.scheme == "https" else 8096))
    elif parts.port is not None:
        places = [("http", parts.port), ("https", parts.port)]
    else:
        places = [("https", None), ("http", 8096), ("http", None), ("https", 8920)]
    paths = list(dict.fromkeys([base_path(parts.path), ""]))
    return [_url(scheme, parts, port, path) for path in paths for scheme, port in places]


def base_path(path: str) -> str:
    """The path in front of the web client's pages, without a slash at its end."""
    segments = [segment for segment in path.split("/") if segment]
    for place, segment in enumerate(segments):
        if segment.lower() in _PAGES or segment.lower() == "index.html":
            segments = segments[:place]
            break
    return "".join(f"/{segment}" for segment in segments)


def moved(asked: str, location: str, path: str) -> str | None:
    """The base URL behind a redirect of `asked` + `path`; None where it leads nowhere that we go.

    A server with a base path leads to its web client, a proxy to the same path on https. From https to plain http
    nobody is followed.
    """
    try:
        target = urlsplit(urljoin(f"{asked}{path}", location))
        port = target.port
    except ValueError:
        return None
    if target.scheme not in ("http", "https") or not target.hostname:
        return None
    if urlsplit(asked).scheme == "https" and target.scheme == "http":
        return None
    base = target.path.removesuffix("/")
    base = base[: -len(path)] if base.lower().endswith(path.lower()) else base_path(base)
    return _url(target.scheme, target, port, base)


def host(url: str) -> str:
    """The host that a URL names, in lower case."""
    return (urlsplit(url).hostname or "").lower()


def _split(url: str) -> SplitResult:
    try:
        parts = urlsplit(url)
        port = parts.port
    except ValueError as error:
        raise UsageError(f"{url} is no address: {error}.") from error
    if parts.scheme.lower() not in ("http", "https"):
        raise UsageError(f"{parts.scheme}:// is no address of a server: it begins with http:// or https://.")
    if not parts.hostname or any(sign in parts.hostname for sign in " \\<>\"'") or port == 0:
        raise UsageError("Type the server's address, such as https://music.example.org or 192.168.1.2:8096.")
    return parts


def _url(scheme: str, parts: SplitResult, port: int | None, path: str) -> str:
    """Without user and password: they would be kept, shown and logged with the address."""
    name = parts.hostname or ""
    place = f"[{name}]" if ":" in name else name
    is_usual = port is None or port == (443 if scheme == "https" else 80)
    return urlunsplit((scheme, place if is_usual else f"{place}:{port}", path, "", ""))
