"""Processes of this machine are services of the stack, and of nothing that leaves it."""

from __future__ import annotations

from pathlib import Path

import pytest
from invoke.context import Context

from invoke_devstack.console import choose
from invoke_devstack.running.hooks import Hooks
from invoke_devstack.tasks.work import Work

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
