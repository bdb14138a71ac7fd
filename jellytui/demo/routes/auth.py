"""Signing in and out, users, Quick Connect (jellyfin-api.md 3.3 to 3.5)."""

import secrets
from datetime import timedelta
from typing import Any

from starlette.responses import Response

from jellytui.demo.routes.sessions import session_dto
from jellytui.demo.state.users import Device, User
from jellytui.demo.wire.endpoint import Access, Call, Endpoint
from jellytui.demo.wire.replies import ApiError, ProblemError, StringError, TextError, date, empty, present
from jellytui.demo.world import QuickConnectRequest, World

_QUICK_CONNECT_LIFE = timedelta(minutes=10)
_DEFAULT_LOCKOUT = 3
_PROVIDER = "Jellyfin.Server.Implementations.Users.Default"


def user_dto(world: World, user: User) -> dict[str, Any]:
    """UserDto with configuration and policy."""
    return present(
        Name=user.name,
        ServerId=world.server_id,
        Id=user.id,
        HasPassword=True if world.emulation.is_12 else bool(user.password),
        HasConfiguredPassword=True if world.emulation.is_12 else bool(user.password),
        HasConfiguredEasyPassword=False,
        EnableAutoLogin=False,
        LastLoginDate=date(user.last_login),
        LastActivityDate=date(user.last_activity),
        Configuration=_configuration(),
        Policy=_policy(user),
    )


def _configuration() -> dict[str, Any]:
    return {
        "PlayDefaultAudioTrack": True,
        "SubtitleLanguagePreference": "",
        "DisplayMissingEpisodes": False,
        "GroupedFolders": [],
        "SubtitleMode": "Default",
        "DisplayCollectionsView": False,
        "EnableLocalPassword": False,
        "OrderedViews": [],
        "LatestItemsExcludes": [],
        "MyMediaExcludes": [],
        "HidePlayedInLatest": True,
        "RememberAudioSelections": True,
        "RememberSubtitleSelections": True,
        "EnableNextEpisodeAutoPlay": True,
        "CastReceiverId": "F007D354",
    }


def _policy(user: User) -> dict[str, Any]:
    policy = user.policy
    return {
        "IsAdministrator": policy.administrator,
        "IsHidden": policy.hidden,
        "EnableCollectionManagement": False,
        "EnableSubtitleManagement": False,
        "EnableLyricManagement": policy.lyric_management,
        "IsDisabled": policy.disabled,
        "BlockedTags": [],
        "AllowedTags": [],
        "EnableUserPreferenceAccess": policy.preferences,
        "AccessSchedules": [],
        "BlockUnratedItems": [],
        "EnableRemoteControlOfOtherUsers": policy.remote_control or policy.administrator,
        "EnableSharedDeviceControl": True,
        "EnableRemoteAccess": policy.remote_access,
        "EnableLiveTvManagement": False,
        "EnableLiveTvAccess": True,
        "EnableMediaPlayback": policy.playback,
        "EnableAudioPlaybackTranscoding": policy.transcoding,
        "EnableVideoPlaybackTranscoding": True,
        "EnablePlaybackRemuxing": True,
        "ForceRemoteSourceTranscoding": False,
        "EnableContentDeletion": policy.content_deletion,
        "EnableContentDeletionFromFolders": [],
        "EnableContentDownloading": policy.download,
        "EnableSyncTranscoding": True,
        "EnableMediaConversion": True,
        "EnabledDevices": [],
        "EnableAllDevices": policy.all_devices,
        "EnabledChannels": [],
        "EnableAllChannels": True,
        "EnabledFolders": [],
        "EnableAllFolders": policy.all_folders,
        "InvalidLoginAttemptCount": policy.invalid_logins,
        "LoginAttemptsBeforeLockout": policy.login_attempts_before_lockout,
        "MaxActiveSessions": policy.max_active_sessions,
        "EnablePublicSharing": True,
        "BlockedMediaFolders": [],
        "BlockedChannels": [],
        "RemoteClientBitrateLimit": 0,
        "AuthenticationProviderId": f"{_PROVIDER}AuthenticationProvider",
        "PasswordResetProviderId": f"{_PROVIDER}PasswordResetProvider",
        "SyncPlayAccess": "CreateAndJoinGroups",
    }


async def sign_in(call: Call) -> Response:
    """`POST /Users/AuthenticateByName`: 400, 401 and 403 say no more than that (3.3)."""
    body = await call.body(parameter="request")
    name = body.get("username")
    user = call.world.accounts.named(name) if isinstance(name, str) else None
    if not name or not call.client.is_complete:
        raise TextError(400)
    if user is None:
        raise TextError(401)
    if user.policy.disabled or not user.policy.access_now:
        raise TextError(403)
    if body.get("pw") != user.password:
        _count_failure(call.world, user)
        raise TextError(401)
    user.policy.invalid_logins = 0
    if not user.policy.all_devices:
        raise TextError(403)
    limit = user.policy.max_active_sessions
    if limit and sum(device.user_id == user.id for device in call.world.accounts.devices.values()) >= limit:
        raise TextError(403)
    return _signed_in(call, user, _device(call, user))


def _count_failure(world: World, user: User) -> None:
    """The lock-out of 12; that of 10.11 never takes effect (3.3)."""
    user.policy.invalid_logins += 1
    allowed = user.policy.login_attempts_before_lockout
    if allowed >= 0 and world.emulation.is_12 and user.policy.invalid_logins >= (allowed or _DEFAULT_LOCKOUT):
        user.policy.disabled = True


def _device(call: Call, user: User) -> Device:
    return call.world.accounts.sign_in(user, *call.client.identity)


def _signed_in(call: Call, user: User, device: Device) -> Response:
    now = call.world.clock()
    user.last_login = user.last_activity = now
    session = call.world.sessions.of(device, now)
    session.device = device
    return call.json(
        {
            "User": user_dto(call.world, user),
            "SessionInfo": session_dto(call.world, session, now),
            "AccessToken": device.token,
            "ServerId": call.world.server_id,
        }
    )


async def sign_out(call: Call) -> Response:
    """`POST /Sessions/Logout`: the token is gone."""
    gone = call.world.accounts.revoke(lambda device: device is call.device)
    call.world.sessions.end_tokens(gone)
    return empty()


async def me(call: Call) -> Response:
    """`GET /Users/Me`: the canonical token check; 400 for an API key."""
    if call.user is None:
        raise ProblemError(400)
    return call.json(user_dto(call.world, call.user))


async def public_users(call: Call) -> Response:
    """`GET /Users/Public`: those to show on a login screen."""
    shown = [user for user in call.world.accounts.users.values() if not (user.policy.hidden or user.policy.disabled)]
    return call.json([user_dto(call.world, user) for user in shown])


async def users(call: Call) -> Response:
    """`GET /Users`: to anybody who is signed in."""
    return call.json([user_dto(call.world, user) for user in call.world.accounts.users.values()])


async def get_user(call: Call) -> Response:
    """`GET /Users/{id}`."""
    user = call.world.accounts.users.get(call.path_guid("userid", "userId"))
    if user is None:
        raise call.not_found("User not found")
    return call.json(user_dto(call.world, user))


async def change_password(call: Call) -> Response:
    """`POST /Users/Password`: the user's other tokens die (3.3, 3.5)."""
    body = await call.body(parameter="request")
    user = call.required_user()
    if not call.is_admin and body.get("currentpw") != user.password:
        raise StringError(403, "Invalid user or password entered.")
    user.password = str(body.get("newpw") or "")
    gone = call.world.accounts.revoke(lambda device: device.user_id == user.id and device is not call.device)
    call.world.sessions.end_tokens(gone)
    return empty()


async def quick_connect_enabled(call: Call) -> Response:
    """`GET /QuickConnect/Enabled`."""
    return call.json(call.world.quick_connect_enabled)


async def quick_connect_start(call: Call) -> Response:
    """`POST /QuickConnect/Initiate`."""
    if not call.world.quick_connect_enabled:
        raise StringError(401, "Quick connect is disabled")
    client = call.client
    if not client.is_complete:
        raise TextError(400)
    secret, code = secrets.token_hex(32).upper(), f"{secrets.randbelow(900_000) + 100_000}"
    request = QuickConnectRequest(secret, code, *client.identity, call.world.clock())
    call.world.quick_connect[secret] = request
    return call.json(_quick_connect_dto(request))


async def quick_connect_state(call: Call) -> Response:
    """`GET /QuickConnect/Connect?secret=`."""
    request = _request(call.world, call.query.text("secret") or "")
    if request is None:
        raise call.not_found("Unknown secret")
    return call.json(_quick_connect_dto(request))


async def quick_connect_approve(call: Call) -> Response:
    """`POST /QuickConnect/Authorize?code=`."""
    user, code = call.required_user(), call.query.text("code")
    request = next((each for each in call.world.quick_connect.values() if each.code == code), None)
    if request is None or _request(call.world, request.secret) is None:
        raise TextError(404)
    request.user_id = user.id
    request.added += timedelta(minutes=1)
    return call.json(True)


async def quick_connect_finish(call: Call) -> Response:
    """`POST /Users/AuthenticateWithQuickConnect`: repeatable, with the same token each time (3.4)."""
    body = await call.body(parameter="request")
    request = _request(call.world, str(body.get("secret") or ""))
    if request is None or request.user_id is None:
        raise TextError(404)
    user = call.world.accounts.users[request.user_id]
    device = call.world.accounts.devices.get(request.token or "")
    if device is None:
        device = call.world.accounts.sign_in(user, request.client, request.device, request.device_id, request.version)
        request.token = device.token
    return _signed_in(call, user, device)


def _request(world: World, secret: str) -> QuickConnectRequest | None:
    request = world.quick_connect.get(secret)
    if request is not None and world.clock() - request.added > _QUICK_CONNECT_LIFE:
        del world.quick_connect[secret]
        return None
    return request


def _quick_connect_dto(request: QuickConnectRequest) -> dict[str, Any]:
    return {
        "Authenticated": request.user_id is not None,
        "Secret": request.secret,
        "Code": request.code,
        "DeviceId": request.device_id,
        "DeviceName": request.device,
        "AppName": request.client,
        "AppVersion": request.version,
        "DateAdded": date(request.added),
    }


async def user_image(call: Call) -> Response:
    """`GET /UserImage`: nobody here has a picture."""
    call.query.guid("userId")
    raise ProblemError(404)


async def quick_connect_start_by_get(call: Call) -> Response:
    """`GET /QuickConnect/Initiate`, gone in 12."""
    if call.world.emulation.is_12:
        raise ApiError(405)
    return await quick_connect_start(call)


ENDPOINTS = (
    Endpoint("POST", "/users/authenticatebyname", sign_in, Access.ANYONE),
    Endpoint("POST", "/users/authenticatewithquickconnect", quick_connect_finish, Access.ANYONE),
    Endpoint("POST", "/sessions/logout", sign_out),
    Endpoint("GET", "/users/me", me),
    Endpoint("GET", "/users/public", public_users, Access.ANYONE),
    Endpoint("GET", "/users", users),
    Endpoint("GET", "/users/{userid}", get_user),
    Endpoint("POST", "/users/password", change_password),
    Endpoint("GET", "/userimage", user_image, Access.ANYONE),
    Endpoint("GET", "/quickconnect/enabled", quick_connect_enabled, Access.ANYONE),
    Endpoint("POST", "/quickconnect/initiate", quick_connect_start, Access.ANYONE),
    Endpoint("GET", "/quickconnect/initiate", quick_connect_start_by_get, Access.ANYONE),
    Endpoint("GET", "/quickconnect/connect", quick_connect_state, Access.ANYONE),
    Endpoint("POST", "/quickconnect/authorize", quick_connect_approve),
)
