"""What the recorder did as an administrator: users, policies and API keys, done to a double by its own means."""

from typing import Any

from jellytui.demo.server import DemoServer
from jellytui.demo.state.users import Policy
from tests.demo.recorded.comparing import Binder

_POLICY = {
    "EnableContentDownloading": "download",
    "EnableMediaPlayback": "playback",
    "EnableAudioPlaybackTranscoding": "transcoding",
    "EnableAllFolders": "all_folders",
    "EnableAllDevices": "all_devices",
    "EnableUserPreferenceAccess": "preferences",
    "EnableRemoteAccess": "remote_access",
    "IsDisabled": "disabled",
    "LoginAttemptsBeforeLockout": "login_attempts_before_lockout",
    "MaxActiveSessions": "max_active_sessions",
}
_OF_NO_MEANING = frozenset({"EnabledFolders", "EnabledDevices"})


class Admin:
    """Does to the double what an entry of the administrator did to the server."""

    def __init__(self, server: DemoServer, binder: Binder) -> None:
        self.api_key = ""
        self._server = server
        self._binder = binder

    def did(self, entry: dict[str, Any]) -> bool:
        """Whether the entry was an administrator's, and is done."""
        if "changed" in entry:
            self._change_policy(entry["changed"])
            return True
        request, accounts = entry.get("request", {}), self._server.world.accounts
        call = (request.get("method"), request.get("path", "").partition("?")[0].split("<")[0])
        bob = accounts.named("bob")
        if call == ("POST", "/Users/New"):
            if bob is None:
                made = self._server.add_user(request["body"]["Name"], request["body"]["Password"])
                self._binder.same(entry["response"]["body"]["Id"], made.id)
        elif call == ("POST", "/Auth/Keys"):
            self.api_key = "5" * 32
            accounts.api_keys.add(self.api_key)
        elif call == ("DELETE", "/Auth/Keys/"):
            accounts.api_keys.discard(self.api_key)
        elif call[0] == "DELETE" and call[1].startswith("/Users/") and bob is not None:
            self._server.world.sessions.end_tokens(accounts.remove(bob))
        else:
            return False
        return True

    def _change_policy(self, changed: dict[str, Any]) -> None:
        """Bob's policy becomes the default but for what was changed, as the recorder did it."""
        assert changed.keys() <= _POLICY.keys() | _OF_NO_MEANING | {"AccessSchedules"}, changed
        bob = self._server.world.accounts.named("bob")
        if bob is not None:
            policy = Policy(**{_POLICY[name]: value for name, value in changed.items() if name in _POLICY})
            policy.access_now = not changed.get("AccessSchedules")
            self._server.world.set_policy(bob, policy)
