"""Processes among the services of a definition, and what is wrong with some."""

from __future__ import annotations

from pathlib import Path

import pytest

from invoke_devstack.definition import load
from invoke_devstack.definition.model import Definition
from invoke_devstack.errors import DefinitionError
from invoke_devstack.planning.processes.image import is_process, ports_of
from invoke_devstack.planning.processes.joined import with_processes

WEB = "services: {web: {image: a}}\n"


def read(folder: Path, text: str) -> Definition:
    (folder / "compose.yaml").write_text(text)
    return with_processes(load(folder))


def test_a_process_is_a_service_with_everything_that_its_block_says(tmp_path: Path) -> None:
    text = """
services: {web: {image: a, x-devstack: {depends_on: [page]}}}
x-devstack:
  processes:
    page:
      command: npm run "dev server"
      environment: {A: "1"}
      ready: {port: 8080, path: /up}
      watch: [./src]
      stop_grace_period: 3s
      restart: on-failure:2
"""
    definition = read(tmp_path, text)
    page = definition.services["page"]
    assert is_process(page)
    assert page.command == ("npm", "run", "dev server")
    assert (page.environment, page.stop_grace_period, page.restart) == ({"A": "1"}, 3.0, "on-failure:2")
    assert page.working_dir == str(tmp_path)
    assert ports_of(page.labels) == [(8080, 8080)]
    assert page.extensions == {"x-devstack": {"ready": {"port": 8080, "path": "/up"}}}
    assert page.develop is not None
    assert [(rule.action, rule.path) for rule in page.develop.watch] == [("restart", str(tmp_path / "src"))]
    assert list(definition.services["web"].depends_on) == ["page"]


@pytest.mark.parametrize(
    ("block", "line", "words"),
    [
        ("{web: {command: a}}", 2, "has the name of a service"),
        ("{p: {}}", 2, "command"),
        ("{p: {command: a, comand: b}}", 2, "comand"),
        ("{p: {command: a, depends_on: [wep]}}", 2, "neither a service nor a process"),
        ("{p: {command: a, ready: {port: 1, log: b}}}", 2, "in one way"),
        ("[p]", 2, "must be a mapping"),
    ],
)
def test_what_is_wrong_is_told_with_its_place(tmp_path: Path, block: str, line: int, words: str) -> None:
    with pytest.raises(DefinitionError, match=words) as caught:
        read(tmp_path, f"{WEB}x-devstack: {{processes: {block}}}\n")
    assert caught.value.position is not None
    assert caught.value.position.line == line


def test_without_processes_the_definition_stays_as_it_is(tmp_path: Path) -> None:
    (tmp_path / "compose.yaml").write_text(WEB)
    definition = load(tmp_path)
    assert with_processes(definition) is definition
