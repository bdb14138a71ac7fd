"""Where things live, and who may read them."""

from __future__ import annotations

import os
import stat
from pathlib import Path

import pytest

from jellytui.paths import default_paths, ensure_folder, ensure_private_folder, paths_below, write_secret


def test_jellytui_home_moves_everything(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("JELLYTUI_HOME", str(tmp_path / "home"))
    paths = default_paths()
    assert all(
        folder.is_relative_to(tmp_path / "home")
        for folder in (paths.config, paths.state, paths.data, paths.cache, paths.logs, paths.runtime)
    )


def test_without_a_login_session_there_is_a_runtime_folder_and_no_warning(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, recwarn: pytest.WarningsRecorder
) -> None:
    for name in ("JELLYTUI_HOME", "XDG_RUNTIME_DIR"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("HOME", str(tmp_path))
    assert default_paths().runtime.is_absolute()
    assert not recwarn.list


def test_a_secret_is_readable_by_its_owner_only(tmp_path: Path) -> None:
    file = tmp_path / "deep" / "token"
    write_secret(file, "first")
    write_secret(file, "second")
    assert file.read_text() == "second"
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    assert [entry.name for entry in file.parent.iterdir()] == ["token"]


def test_new_folders_are_private(tmp_path: Path) -> None:
    folder = ensure_folder(tmp_path / "a" / "b")
    assert {stat.S_IMODE(path.stat().st_mode) for path in (folder, folder.parent)} == {0o700}


def test_the_socket_path_fits_however_deep_the_home(tmp_path: Path) -> None:
    paths = paths_below(tmp_path / ("deep" * 40))
    assert len(os.fsencode(paths.socket_file("server", "user"))) < 104


def test_accounts_have_sockets_of_their_own(tmp_path: Path) -> None:
    paths = paths_below(tmp_path)
    assert len({paths.socket_file(server, user) for server in "ab" for user in "ab"}) == 4


def test_a_shared_runtime_folder_is_closed_before_use(tmp_path: Path) -> None:
    folder = tmp_path / "run"
    folder.mkdir(mode=0o755)
    ensure_private_folder(folder)
    assert stat.S_IMODE(folder.stat().st_mode) == 0o700


def test_a_link_in_place_of_the_runtime_folder_is_refused(tmp_path: Path) -> None:
    (tmp_path / "elsewhere").mkdir()
    (tmp_path / "run").symlink_to(tmp_path / "elsewhere")
    with pytest.raises(PermissionError, match="belongs to somebody else"):
        ensure_private_folder(tmp_path / "run")
