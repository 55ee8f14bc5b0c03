"""What a task reads that acts on a copy of the stack."""

from __future__ import annotations

from pathlib import Path

import pytest
from invoke.context import Context

from invoke_devstack.console import choose
from invoke_devstack.planning.copies.copies import Copy
from invoke_devstack.running.hooks import Hooks
from invoke_devstack.tasks.work import Work
from tests.fakes import FakeEngine

FILE = """
name: shop
services:
  web: {image: a, ports: ["8080:80"], x-devstack: {depends_on: [page]}}
x-devstack: {processes: {page: {command: a}}}
"""


@pytest.fixture
def work(tmp_path: Path) -> Work:
    (tmp_path / "compose.yaml").write_text(FILE)
    hooks = Hooks()
    hooks.add("after", "page", print)
    hooks.add("after", "web", print)
    work = Work(Context(), tmp_path, hooks, choose())
    work.engine = FakeEngine()
    return work


def copy_of(work: Work) -> Copy:
    return Copy("job", "shop", str(work.directory), "2026-01-31T12:00:00+00:00")


def test_it_has_the_name_of_the_copy_and_no_processes(work: Work) -> None:
    work.enter_copy(copy_of(work))
    definition = work.bound_definition
    assert (definition.name, [*definition.services]) == ("shop-copy-job", ["web"])
    assert definition.services["web"].ports[0].published is None
    assert work.left_out == {"page"}
    assert work.load_definition().name == "shop-copy-job"  # as the watch reads it again


def test_hooks_of_processes_are_left_out_with_them(work: Work) -> None:
    work.enter_copy(copy_of(work))
    with work.session() as session:
        assert session.hooks.names() == {"after web"}
        session.hooks.check_targets(session.definition.all_services)


def test_its_variables_are_not_those_of_the_next_task(work: Work) -> None:
    before = work.context
    work.enter_copy(copy_of(work))
    assert work.context.config.run.env == {"DEVSTACK_COPY": "job", "COMPOSE_PROJECT_NAME": "shop-copy-job"}
    assert before.config.run.env == {}
