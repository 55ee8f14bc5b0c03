"""Processes of this machine are services of the stack, and of nothing that leaves it."""

from __future__ import annotations

from pathlib import Path

import pytest
from invoke.context import Context

from invoke_devstack.console import choose
from invoke_devstack.running.hooks import Hooks
from invoke_devstack.running.hosting import relay
from invoke_devstack.running.hosting.prepare import host_services
from invoke_devstack.tasks.work import Work
from tests.fakes import FakeEngine

FILE = """
services:
  web: {image: a, x-devstack: {depends_on: [page]}}
x-devstack: {processes: {page: {command: a}}}
"""


@pytest.fixture
def work(tmp_path: Path) -> Work:
    (tmp_path / "compose.yaml").write_text(FILE)
    return Work(Context(), tmp_path, Hooks(), choose())


def test_tasks_of_the_stack_know_them(work: Work) -> None:
    assert [*work.definition.services] == ["web", "page"]
    assert [*work.definition.services["web"].depends_on] == ["page"]


def test_what_is_shown_as_composes_and_what_is_deployed_is_without_them(work: Work) -> None:
    deployed = [work.definition_for_production("shop", files) for files in ((), ("compose.yaml",))]
    for definition in (work.compose_definition, *deployed):
        assert [*definition.services] == ["web"]
        assert not definition.services["web"].depends_on
    assert {definition.name for definition in deployed} == {"shop"}


HOSTED = """
services:
  web: {image: a, x-devstack: {host: {command: a, working_dir: ., env_file: web.env}}}
x-devstack: {processes: {page: {command: a, env_file: page.env}}}
"""


def test_a_variable_of_their_env_files_that_nothing_sets_is_told(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "compose.yaml").write_text(HOSTED)
    (tmp_path / "page.env").write_text("A=$NOWHERE_PAGE\n")
    (tmp_path / "web.env").write_text("B=1\nC=$NOWHERE_WEB\n")
    work = Work(Context(), tmp_path, Hooks(), choose())
    told: list[str] = []
    monkeypatch.setattr(work, "tell", lambda event: told.append(getattr(event, "text", "")))
    unset = work.definition.unset
    assert [(name, place[0].line) for name, place in unset.items()] == [("NOWHERE_PAGE", 1)]
    assert [text.split(")")[0] for text in told] == ["NOWHERE_PAGE is not set, so it is empty (page.env:1"]
    monkeypatch.setattr(relay, "_can_relay", lambda *_: True)
    engine = FakeEngine()
    engine.add_image("a")
    hosting = host_services(work.definition, engine, work.settings, ("web",))
    work.tell_unset(hosting.definition)
    assert [text.split(")")[0] for text in told[1:]] == ["NOWHERE_WEB is not set, so it is empty (web.env:2"]
