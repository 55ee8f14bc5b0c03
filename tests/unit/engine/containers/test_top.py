"""The processes of a container, as an engine tells them."""

from __future__ import annotations

from types import SimpleNamespace
from typing import cast

from invoke_devstack.engine.containers.lifecycle import Containers
from invoke_devstack.engine.transport.api import Api


def test_every_process_has_as_many_columns_as_there_are_titles() -> None:
    engine = Containers()
    answer = {"Titles": ["UID", "PID", "CMD"], "Processes": [["root"], ["root", "1", "sh", "-c"]]}
    engine._api = cast(Api, SimpleNamespace(get=lambda *_: answer))
    assert engine.top("web")["Processes"] == [["root", "", ""], ["root", "1", "sh"]]
    engine._api = cast(Api, SimpleNamespace(get=lambda *_: {"Titles": ["PID"], "Processes": None}))
    assert engine.top("web")["Processes"] == []
