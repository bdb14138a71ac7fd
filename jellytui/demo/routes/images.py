"""Pictures with tags, sizes and 304 (jellyfin-api.md 9)."""

import asyncio
import io
from datetime import UTC, datetime
from email.utils import format_datetime, parsedate_to_datetime

from PIL import Image
from starlette.responses import Response

from jellytui.demo.library import DemoImage, DemoItem
from jellytui.demo.sources.pictures import picture_bytes
from jellytui.demo.wire.endpoint import Access, Call, Endpoint
from jellytui.demo.wire.replies import ProblemError, StringError, invalid

_TYPES = ("Primary", "Art", "Backdrop", "Banner", "Logo", "Thumb", "Disc", "Box", "Screenshot", "Menu", "Chapter",
          "BoxRear", "Profile")  # fmt: skip
_FORMATS = {"jpg": "JPEG", "png": "PNG", "webp": "WEBP", "gif": "GIF", "bmp": "BMP"}
_CONTENT_TYPES = {
    "JPEG": "image/jpeg",
    "PNG": "image/png",
    "WEBP": "image/webp",
    "GIF": "image/gif",
    "BMP": "image/bmp",
}
_SIZES = ("width", "height", "maxWidth", "maxHeight", "fillWidth", "fillHeight")


async def item_image(call: Call) -> Response:
    """`GET|HEAD /Items/{id}/Images/{type}[/{index}]`: anonymous."""
    return await _image(call, call.item())


async def named_image(call: Call) -> Response:
    """`GET|HEAD /Artists|Genres|MusicGenres/{name}/Images/{type}[/{index}]`."""
    library, name = call.world.library, str(call.request.path_params["name"]).lower()
    items: list[DemoItem] = [*library.artists, *library.genres]
    found = next((item for item in items if item.name.lower() == name), None)
    if found is None:
        raise ProblemError(404)
    return await _image(call, found)


async def _image(call: Call, item: DemoItem) -> Response:
    kind = _image_type(call)
    index = str(call.request.path_params.get("index", call.query.integer("imageIndex") or 0))
    image = item.image if kind == "Primary" and index == "0" else None
    if image is None:
        raise StringError(404, f"{item.name} does not have an image of type {kind}")
    sizes = {name: call.query.integer(name) for name in _SIZES}
    quality = call.query.integer("quality", 90) or 90
    headers = _caching_headers(call, image)
    stored = await asyncio.to_thread(picture_bytes, image)
    if stored is None:
        raise StringError(404, f"{item.name} does not have an image of type {kind}")
    data: bytes = stored
    asked = _FORMATS.get((call.query.text("format") or "").lower())
    webp = asked is None and "image/webp" in call.request.headers.get("accept", "")
    if asked or webp or any(size is not None for size in sizes.values()):
        target = asked or ("WEBP" if webp else None)
        data, form = await asyncio.to_thread(resize, data, sizes, target, max(1, min(quality, 100)))
    else:
        form = await asyncio.to_thread(_form_of, data)
    if _unchanged(call, image):
        return Response(status_code=304, headers=headers | {"Content-Type": _CONTENT_TYPES.get(form, "image/jpeg")})
    headers |= {"Content-Type": _CONTENT_TYPES.get(form, "image/jpeg"), "Content-Length": str(len(data))}
    return Response(None if call.request.method == "HEAD" else data, headers=headers)


def _image_type(call: Call) -> str:
    spelled = str(call.request.scope["spelled"])
    text = spelled.lower().split("/images/", 1)[1].split("/")[0]
    found = next((each for each in _TYPES if each.lower() == text), None)
    if found is None:
        place = spelled.lower().index("/images/") + len("/images/")
        raise invalid("imageType", spelled[place : place + len(text)])
    return found


def _caching_headers(call: Call, image: DemoImage) -> dict[str, str]:
    """Whatever tag is asked for, the present picture is sent; the tag makes it last, and on 12 is its ETag."""
    tag, is_12 = call.query.text("tag"), call.world.emulation.is_12
    lasting = "public, max-age=31536000" + (", immutable" if is_12 else "")
    headers = {
        "Age": str(max(0, int((datetime.now(UTC) - image.modified).total_seconds()))),
        "Cache-Control": lasting if tag else "public",
        "Last-Modified": format_datetime(image.modified, usegmt=True),
        "Vary": "Accept",
        "transferMode.dlna.org": "Interactive",
        "realTimeInfo.dlna.org": "DLNA.ORG_TLAG=*",
        "Content-Disposition": "attachment",
    }
    if tag and is_12:
        headers["ETag"] = f'"{tag}"'
    return headers


def _unchanged(call: Call, image: DemoImage) -> bool:
    headers, tag = call.request.headers, call.query.text("tag")
    wanted = headers.get("if-none-match")
    if wanted is not None and tag and call.world.emulation.is_12:
        return wanted.strip().removeprefix("W/").strip('"') == tag
    try:
        since = parsedate_to_datetime(headers["if-modified-since"])
    except (KeyError, ValueError):
        return False
    return image.modified <= (since if since.tzinfo else since.replace(tzinfo=UTC))


def _form_of(data: bytes) -> str:
    with Image.open(io.BytesIO(data)) as picture:
        return picture.format or "JPEG"


def resize(data: bytes, sizes: dict[str, int | None], form: str | None, quality: int) -> tuple[bytes, str]:
    """The picture in another size and form, and the form's name: `max…` never enlarge, the shape stays."""
    with Image.open(io.BytesIO(data)) as original:
        source = original.format or "JPEG"
        picture = original.convert("RGBA" if original.mode in {"RGBA", "LA", "P"} else "RGB")
        grows_to = [sizes["width"], sizes["height"]]
        fits = [
            limit / length
            for limit, length in ((sizes["maxWidth"], picture.width), (sizes["maxHeight"], picture.height))
            if limit
        ]
        fills = [
            limit / length
            for limit, length in ((sizes["fillWidth"], picture.width), (sizes["fillHeight"], picture.height))
            if limit
        ]
        exact = [limit / length for limit, length in zip(grows_to, picture.size, strict=True) if limit]
        scale = min([1.0, *fits, *exact, *([max(fills)] if fills else [])])
        if scale == 1.0 and form in {None, source} and not any(size == 0 for size in sizes.values()):
            return data, source
        if scale < 1.0:
            size = (max(1, round(picture.width * scale)), max(1, round(picture.height * scale)))
            picture = picture.resize(size, Image.Resampling.LANCZOS)
        target = form or source
        if target in {"JPEG", "BMP"}:
            picture = picture.convert("RGB")
        out = io.BytesIO()
        picture.save(out, target, quality=quality)
        return out.getvalue(), target


async def image_infos(call: Call) -> Response:
    """`GET /Items/{id}/Images`: what pictures there are."""
    item = call.item()
    if item.image is None:
        return call.json([])
    data = await asyncio.to_thread(picture_bytes, item.image) or b""
    width, height = await asyncio.to_thread(_dimensions, data)
    path = f"{item.path}/{item.image.file.name}" if not item.image.embedded else item.path
    found = {"ImageType": "Primary", "ImageTag": item.image.tag, "Path": path, "BlurHash": item.image.blur_hash}
    return call.json([found | {"Height": height, "Width": width, "Size": len(data)}])


def _dimensions(data: bytes) -> tuple[int, int]:
    with Image.open(io.BytesIO(data)) as picture:
        return picture.size


_PATHS = ("/items/{itemid}/images/{type}", "/items/{itemid}/images/{type}/{index}")
_NAMED = tuple(
    f"/{owner}/{{name}}/images/{{type}}{index}"
    for owner in ("artists", "genres", "musicgenres")
    for index in ("", "/{index}")
)

ENDPOINTS = (
    Endpoint("GET", "/items/{itemid}/images", image_infos),
    *(Endpoint(method, path, item_image, Access.ANYONE) for path in _PATHS for method in ("GET", "HEAD")),
    *(Endpoint(method, path, named_image, Access.ANYONE) for path in _NAMED for method in ("GET", "HEAD")),
)
