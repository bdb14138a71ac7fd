"""What a server tells about itself (jellyfin-api.md 4)."""

import platform
from typing import Any

from starlette.responses import PlainTextResponse, RedirectResponse, Response

from jellytui.demo.wire.endpoint import Access, Call, Endpoint
from jellytui.demo.wire.replies import ApiError, empty, json_reply


def public_info(call: Call) -> dict[str, Any]:
    """PublicSystemInfo."""
    world = call.world
    return {
        "LocalAddress": world.address,
        "ServerName": world.server_name,
        "Version": world.emulation.version,
        "ProductName": "Jellyfin Server",
        "OperatingSystem": "",
        "Id": world.server_id,
        "StartupWizardCompleted": True,
    }


async def get_public_info(call: Call) -> Response:
    """`GET /System/Info/Public`."""
    return call.json(public_info(call))


async def get_info(call: Call) -> Response:
    """`GET /System/Info`."""
    more = {
        "OperatingSystemDisplayName": "",
        "HasPendingRestart": False,
        "IsShuttingDown": False,
        "SupportsLibraryMonitor": True,
        "WebSocketPortNumber": call.request.url.port or 80,
        "CompletedInstallations": [],
        "CanSelfRestart": True,
        "CanLaunchWebBrowser": False,
        "ProgramDataPath": "/config",
        "WebPath": "/web",
        "ItemsByNamePath": "/config/metadata",
        "CachePath": "/cache",
        "LogPath": "/config/log",
        "InternalMetadataPath": "/config/metadata",
        "TranscodingTempPath": "/cache/transcodes",
        "CastReceiverApplications": [{"Id": "F007D354", "Name": "Stable"}, {"Id": "6F511C87", "Name": "Unstable"}],
        "HasUpdateAvailable": False,
        "EncoderLocation": "System",
        "SystemArchitecture": "X64" if platform.machine() == "x86_64" else "Arm64",
    }
    return call.json(public_info(call) | more)


async def ping(call: Call) -> Response:
    """`GET|POST /System/Ping`."""
    return call.json("Jellyfin Server")


async def health(call: Call) -> Response:  # noqa: ARG001
    """`GET /health`."""
    return PlainTextResponse("Healthy")


async def branding(call: Call) -> Response:
    """`GET /Branding/Configuration`."""
    return call.json({"SplashscreenEnabled": False})


async def activity_log(call: Call) -> Response:
    """`GET /System/ActivityLog/Entries`: among others an entry for each Download request (8.2)."""
    start, limit = call.query.integer("startIndex", 0) or 0, call.query.integer("limit")
    entries = list(reversed(call.world.activity))
    shown = entries[start : None if limit is None else start + limit]
    return call.json({"Items": shown, "TotalRecordCount": len(entries), "StartIndex": start})


async def refresh(call: Call) -> Response:
    """`POST /Library/Refresh`: scans the folder again."""
    if call.world.rescan is not None:
        call.world.rescan()
    return empty()


async def virtual_folders(call: Call) -> Response:
    """`GET /Library/VirtualFolders`."""
    library = call.world.library
    found = {"Name": library.name, "Locations": [library.folders[0].path], "CollectionType": "music"}
    return call.json([found | {"ItemId": library.view.id, "RefreshStatus": "Idle"}])


async def root(call: Call) -> Response:  # noqa: ARG001
    """`GET /`: to the web client, which is not here."""
    return RedirectResponse("web/", 302)


async def user_configuration(call: Call) -> Response:
    """`GET /DisplayPreferences/…`: the defaults."""
    return json_reply(call.request, {"Id": call.world.server_id, "RememberIndexing": False, "CustomPrefs": {}})


async def admin_only(call: Call) -> Response:  # noqa: ARG001
    """A route of the dashboard, which the double does not have beyond its refusal."""
    raise ApiError(404)


ENDPOINTS = (
    Endpoint("GET", "/", root, Access.ANYONE),
    Endpoint("GET", "/system/info/public", get_public_info, Access.ANYONE),
    Endpoint("GET", "/system/info", get_info),
    Endpoint("GET", "/system/ping", ping, Access.ANYONE),
    Endpoint("POST", "/system/ping", ping, Access.ANYONE),
    Endpoint("GET", "/health", health, Access.ANYONE),
    Endpoint("GET", "/branding/configuration", branding, Access.ANYONE),
    Endpoint("GET", "/system/activitylog/entries", activity_log, Access.ADMIN),
    Endpoint("POST", "/library/refresh", refresh, Access.ADMIN),
    Endpoint("GET", "/library/virtualfolders", virtual_folders, Access.ADMIN),
    Endpoint("GET", "/scheduledtasks", admin_only, Access.ADMIN),
    Endpoint("GET", "/displaypreferences/{id}", user_configuration),
)
