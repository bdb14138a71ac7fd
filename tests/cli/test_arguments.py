"""What may be typed, and what is refused."""

from __future__ import annotations

import importlib

import pytest

from jellytui.cli.arguments import parser


@pytest.mark.parametrize(
    ("typed", "handler"),
    [
        ("", ""),
        ("demo", "demo"),
        ("login http://x --user a --password-stdin", "account:login"),
        ("logout", "account:logout"),
        ("sync --full --json", "library:sync"),
        ("search alma verde --json", "library:search"),
        ("favorite a --remove", "library:favorite"),
        ("download a b --wait", "downloads:download"),
        ("download a --album --wait --json", "downloads:download"),
        ("downloads", "downloads:show"),
        ("downloads --status failed --json", "downloads:show"),
        ("downloads pause 1 2", "downloads:pause"),
        ("downloads resume 1", "downloads:resume"),
        ("downloads cancel 1", "downloads:cancel"),
        ("downloads delete 1", "downloads:delete"),
        ("downloads pause-all", "downloads:pause_all"),
        ("downloads verify --repair --deep --json", "upkeep:verify"),
        ("downloads move /mnt/usb", "upkeep:move"),
        ("export /mnt/usb --album a b --hardlink --json", "upkeep:export"),
        ("offline items --json", "offline:items"),
        ("offline search a b", "offline:search"),
        ("offline has a", "offline:has"),
        ("play a --album", "player:play"),
        ("next", "player:simple"),
        ("queue", "player:queue"),
        ("queue clear", "player:simple"),
        ("queue move 1 3", "player:queue_move"),
        ("show a --json", "library:show"),
        ("lyrics a", "library:lyrics"),
        ("devices", "player:devices"),
        ("doctor --json", "doctor:run"),
    ],
)
def test_each_command_finds_its_handler(typed: str, handler: str) -> None:
    assert parser().parse_args(typed.split()).handler == handler
    module, _, function = handler.partition(":")
    if function:
        assert callable(getattr(importlib.import_module(f"jellytui.cli.{module}"), function))


@pytest.mark.parametrize(
    "typed",
    ["fly", "download --album --artist a", "downloads pause x", "downloads --status lost", "offline", "login"],
)
def test_a_wrong_word_is_a_usage_error(typed: str, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as caught:
        parser().parse_args(typed.split())
    assert caught.value.code == 2
    assert "usage: jellytui" in capsys.readouterr().err


def test_the_version_is_told(capsys: pytest.CaptureFixture[str]) -> None:
    from jellytui import __version__

    with pytest.raises(SystemExit) as caught:
        parser().parse_args(["--version"])
    assert caught.value.code == 0
    assert capsys.readouterr().out == f"jellytui {__version__}\n"
