"""Each seam has two sides: what the engine can do is done by keys and palette, and by the command line."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from contextlib import redirect_stderr, suppress
from io import StringIO
from pathlib import Path

import pytest

import jellytui
from jellytui.cli.arguments import parser
from jellytui.engine.commands import registry
from jellytui.tui.actions import ACTIONS
from tests.support.sent_commands import Sent, named_in, sent_by

ROOM = Path(jellytui.__file__).parent

NOT_IN_THE_APP = {
    "await_end_of_queue": "the app sees the player's state",
    "await_sync": "the app sees the sync's state",
    "get_account": "the app asks its backend's `account`",
    "get_audio_devices": "set in config.toml, whose words `jellytui devices` lists",
    "get_item": "the app reads the views",
    "get_player": "the app sees the player's state",
    "offline_get_items": "the view of what is downloaded reads it from the views",
    "offline_is_available": "each row's sign says it, from the downloads' events",
    "offline_search": "the filter line in the view of what is downloaded",
    "pause": "toggle_pause, one key",
    "play": "toggle_pause, one key",
    "set_repeat": "cycle_repeat, one key",
    "download_anyway": "downloads_anyway, also for one",
    "prioritize_download": "prioritize_downloads, also for one",
    "export_downloads": "needs a folder typed",
    "move_downloads": "needs a folder typed",
}
NOT_ON_THE_COMMAND_LINE = {
    "get_account": "`jellytui doctor` tells it, also when the engine cannot start",
    "cycle_repeat": "`repeat MODE` says which",
    "pause_download": "pause_downloads, also for one",
    "resume_download": "resume_downloads, also for one",
    "cancel_download": "cancel_downloads, also for one",
    "delete_download": "delete_downloads, also for one",
    "prioritize_download": "prioritize_downloads, also for one",
    "download_anyway": "downloads_anyway, also for one",
}


def sent_by_app() -> list[Sent]:
    """What screens, stores and actions send."""
    by_action = [
        Sent(action.command, frozenset(action.arguments), f"action {action.name}")
        for action in ACTIONS.values()
        if action.command
    ]
    return [*by_action, *sent_by(ROOM / "tui", registry())]


def sent_by_command_line() -> list[Sent]:
    """What the verbs send; some verbs differ in nothing but their command."""
    return [*(Sent(name, frozenset(), "arguments.py") for name in simple_verbs()), *sent_by(ROOM / "cli", registry())]


def simple_verbs() -> Iterator[str]:
    """The commands of verbs that take no arguments."""
    source = (ROOM / "cli" / "arguments.py").read_text(encoding="utf-8")
    words = {node.value for node in ast.walk(ast.parse(source)) if isinstance(node, ast.Constant)}
    for word in sorted(word for word in words if isinstance(word, str) and word.isalpha()):
        for typed in ([word], ["queue", word]):
            with suppress(SystemExit), redirect_stderr(StringIO()):
                command = getattr(parser().parse_args(typed), "command", "")
                if command:
                    yield command


@pytest.mark.parametrize(
    ("sent", "room", "exceptions"),
    [(sent_by_app(), "tui", NOT_IN_THE_APP), (sent_by_command_line(), "cli", NOT_ON_THE_COMMAND_LINE)],
    ids=["app", "command line"],
)
def test_every_command_of_the_engine_is_used_by_this_face(
    sent: list[Sent], room: str, exceptions: dict[str, str]
) -> None:
    commands = {command.name for command in registry()}
    used = {one.name for one in sent} | named_in(ROOM / room, registry())
    assert commands - used <= set(exceptions)
    assert set(exceptions) <= commands
    assert all(exceptions.values())


@pytest.mark.parametrize("sent", [sent_by_app(), sent_by_command_line()], ids=["app", "command line"])
def test_what_a_face_sends_is_a_command_with_the_arguments_that_it_takes(sent: list[Sent]) -> None:
    commands = {command.name: command for command in registry()}
    for one in sent:
        assert one.name in commands, one
        if one.arguments is not None:
            fields = commands[one.name].arguments.__struct_fields__
            assert one.arguments <= set(fields), one
