"""The text for agents names this stack, keeps to its limit, and every command in it exists."""

from __future__ import annotations

import re
import shlex
from pathlib import Path

import pytest
from invoke.parser import Parser

from invoke_devstack import stack
from invoke_devstack.definition import load
from invoke_devstack.definition.model import Definition
from invoke_devstack.mcp.budget import tokens
from invoke_devstack.mcp.skill.text import MOST, skill

SHOP = """
services:
  db: {image: x, ports: ["3306:3306"], environment: {PASSWORD: s3cr3t-of-db}}
  web: {image: x, ports: ["8080:80", "9000"], depends_on: [db]}
"""


def shop(folder: Path, text: str = SHOP) -> Definition:
    (folder / "compose.yaml").write_text(text)
    return load(folder)


def test_it_names_services_ports_and_what_they_wait_for(tmp_path: Path) -> None:
    text = skill(shop(tmp_path))
    assert "- `db`: localhost:3306\n- `web`: localhost:8080; after db\n" in text
    assert "invoke logs -s web --since" in text
    assert "s3cr3t" not in text


@pytest.mark.parametrize("count", [0, 1, 12, 400])
def test_it_keeps_to_its_limit_whatever_the_stack(tmp_path: Path, count: int) -> None:
    names = [f"a-service-with-a-rather-long-name-{number}" for number in range(count)]
    lines = [
        f'  {name}: {{image: x, ports: ["{9000 + place}:80"], depends_on: [{", ".join(names[:place][-6:])}]}}'
        for place, name in enumerate(names)
    ]
    text = skill(shop(tmp_path, "\n".join(["services:", *lines]) if lines else "services: {}"))
    assert tokens(text) <= MOST
    if count > 100:
        assert re.search(r"- and \d+ more: `invoke ps --all`", text)


def test_its_commands_are_those_of_this_version(tmp_path: Path) -> None:
    text = skill(shop(tmp_path))
    commands = [line for line in re.findall(r"`invoke ([^`]+)`", text) if line]
    assert len({line.split()[0] for line in commands}) >= 10
    contexts = stack(tmp_path).to_contexts()
    for command in commands:
        words = shlex.split(command)
        words = words[: words.index("ls")] if "ls" in words else words
        (parsed,) = Parser(contexts=contexts).parse_argv(words)
        assert parsed.name == words[0]


def test_tasks_have_the_name_that_they_have_on_the_command_line(tmp_path: Path) -> None:
    text = skill(shop(tmp_path), "stack.")
    assert "`invoke stack.up --detach --json`" in text
    assert not re.search(r"`invoke (?!stack\.)", text)
