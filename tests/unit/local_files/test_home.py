"""The home directory of a user who has none: a number without a name, as a container gives, and no HOME."""

from __future__ import annotations

import pwd
from pathlib import Path

import pytest

from invoke_devstack.dashboard import serving
from invoke_devstack.engine.builds.buildx import _plugin_folders
from invoke_devstack.engine.endpoints import config_folder, known_sockets
from invoke_devstack.local_files.home import home_folder
from invoke_devstack.running import journal
from invoke_devstack.running.images import publish
from invoke_devstack.settings import state_folder
from invoke_devstack.traces import places


@pytest.fixture
def nobody(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("HOME", "XDG_STATE_HOME", "XDG_CACHE_HOME", "XDG_RUNTIME_DIR", "DOCKER_CONFIG"):
        monkeypatch.delenv(name, raising=False)

    def unknown(number: int) -> None:
        raise KeyError(number)

    monkeypatch.setattr(pwd, "getpwuid", unknown)


@pytest.mark.usefixtures("nobody")
def test_without_a_home_directory_it_is_the_root_as_it_is_in_a_container() -> None:
    assert home_folder() == Path("/")
    assert home_folder({"HOME": "/home/somebody"}) == Path("/home/somebody")


@pytest.mark.usefixtures("nobody")
def test_every_folder_of_a_user_has_a_place_without_a_home_directory() -> None:
    state = Path("/.local/state/invoke-devstack")
    assert state_folder() == state
    assert state in journal.folder_of(Path("/project")).parents
    assert places.folder_of("shop") == state / "traces" / "shop"
    assert serving._file_of("devstack-shop") == state / "dashboards" / "shop.json"
    assert publish._cache() == Path("/.cache/docker-compose")
    assert config_folder({}) == Path("/.docker")
    assert Path("/.docker/cli-plugins") in _plugin_folders({})
    assert [item.url for item in known_sockets({})]
