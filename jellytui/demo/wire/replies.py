"""Answers as the server writes them: JSON without nulls, dates, problems, plain errors (jellyfin-api.md 2)."""

import gzip
import json
import secrets
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

from starlette.requests import Request
from starlette.responses import Response

JSON = "application/json; charset=utf-8"
NEVER_TEXT = "0001-01-01T00:00:00.0000000Z"
_RFC = "https://tools.ietf.org/html/rfc9110#section-"
_TITLES = {
    400: ("15.5.1", "Bad Request"),
    403: ("15.5.4", "Forbidden"),
    404: ("15.5.5", "Not Found"),
    405: ("15.5.6", "Method Not Allowed"),
    415: ("15.5.16", "Unsupported Media Type"),
}
_BY_NAME_KEYS = frozenset({"ImageTags", "ImageBlurHashes", "ProviderIds", "Arguments", "errors"})
"""Objects whose keys are data: the camel-case profile leaves what is inside them as it is."""


class ApiError(Exception):
    """Ends a request with an answer other than 200."""

    def __init__(self, status: int) -> None:
        super().__init__(str(status))
        self.status = status

    def response(self, request: Request) -> Response:  # noqa: ARG002 - the other kinds need it
        """An empty body, as for 401 and 403."""
        return Response(status_code=self.status)


class TextError(ApiError):
    """What an exception in the server's handler becomes: `Error processing request.` as text."""

    def response(self, request: Request) -> Response:  # noqa: ARG002
        """The text."""
        return chunked(
            Response("Error processing request.", self.status, media_type=None, headers={"Content-Type": "text/plain"})
        )


class TranscodeError(TextError):
    """A transcode that could not begin: 500, after the headers of a transcode were set (media-more.json)."""

    def __init__(self) -> None:
        super().__init__(500)

    def response(self, request: Request) -> Response:
        """The text, with the header that was set already."""
        answer = super().response(request)
        answer.headers["Accept-Ranges"] = "none"
        return answer


class StringError(ApiError):
    """`NotFound("…")` and its like: a bare JSON string."""

    def __init__(self, status: int, message: str) -> None:
        super().__init__(status)
        self.message = message

    def response(self, request: Request) -> Response:
        """The string."""
        return json_reply(request, self.message, self.status)


class ProblemError(ApiError):
    """`NotFound()` and its like, and with `errors` a failed validation: problem details, whatever `Accept` says."""

    def __init__(self, status: int, errors: Mapping[str, list[str]] | None = None) -> None:
        super().__init__(status)
        self.errors = errors

    def response(self, request: Request) -> Response:
        """The problem details."""
        section, title = _TITLES[self.status]
        body: dict[str, Any] = {"type": _RFC + section, "title": title, "status": self.status}
        if self.errors is not None:
            body |= {"title": "One or more validation errors occurred.", "errors": dict(self.errors)}
        body["traceId"] = f"00-{secrets.token_hex(16)}-{secrets.token_hex(8)}-00"
        return json_reply(request, body, self.status)


def invalid(name: str, value: str) -> ProblemError:
    """A scalar that cannot be parsed."""
    return ProblemError(400, {name: [f"The value '{value}' is not valid."]})


def json_reply(request: Request, data: Any, status: int = 200, *, profiles: bool = True) -> Response:
    """JSON as the server sends it: chunked, camel case if the profile asks for it, gzip if accepted (2.1, 2.3)."""
    content_type = JSON
    accept = request.headers.get("accept", "")
    for profile in ("CamelCase", "PascalCase") if profiles else ():
        if f'profile="{profile}"' in accept:
            content_type = f'application/json; profile="{profile}"; charset=utf-8'
            data = camel(data) if profile == "CamelCase" else data
    body = json.dumps(data, ensure_ascii=True, separators=(",", ":")).encode()
    headers = {"Content-Type": content_type, "Vary": "Accept-Encoding"}
    if "gzip" in request.headers.get("accept-encoding", ""):
        body = gzip.compress(body, compresslevel=4)
        headers["Content-Encoding"] = "gzip"
    return chunked(Response(body, status, headers))


def chunked(response: Response) -> Response:
    """Without a length, so that it goes out chunked."""
    del response.headers["content-length"]
    return response


def empty(status: int = 204) -> Response:
    """An empty answer."""
    return Response(status_code=status)


def present(**members: Any) -> dict[str, Any]:
    """An object without its null members: the server leaves them out (2.1)."""
    return {name: value for name, value in members.items() if value is not None}


def whole(number: float) -> float | int:
    """A number as .NET writes it: without `.0`."""
    return int(number) if number == int(number) else number


def date(moment: datetime | None) -> str | None:
    """A date as .NET writes it: seven digits when the milliseconds are zero, else without trailing zeros (2.1)."""
    if moment is None:
        return None
    moment = moment.astimezone(UTC) if moment.tzinfo else moment
    seconds = moment.strftime("%Y-%m-%dT%H:%M:%S").rjust(19, "0")
    if moment.microsecond < 1000:
        return f"{seconds}.{moment.microsecond * 10:07d}Z"
    return f"{seconds}.{moment.microsecond:06d}".rstrip("0") + "Z"


def camel(data: Any) -> Any:
    """The same with lower first letters of property names."""
    if isinstance(data, list):
        return [camel(each) for each in data]
    if isinstance(data, dict):
        return {
            key[:1].lower() + key[1:]: value if key in _BY_NAME_KEYS else camel(value) for key, value in data.items()
        }
    return data
