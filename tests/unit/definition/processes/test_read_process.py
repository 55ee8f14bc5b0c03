"""A process below `x-devstack` is read like the rest of the file."""

from __future__ import annotations

from pathlib import Path

import pytest

from invoke_devstack.definition import load
from invoke_devstack.definition.processes.process import Process
from invoke_devstack.definition.reading.block import read_process
from invoke_devstack.errors import DefinitionError

STEPS = ("services", "web", "x-devstack", "host")


def read(folder: Path, block: str) -> Process:
    (folder / "compose.yaml").write_text(
        f"name: x\nservices:\n  web:\n    image: a\n    x-devstack:\n      host: {block}\n", encoding="utf-8"
    )
    definition = load(folder, environment={"HOME": "/home/me", "P": "8081"})
    return read_process(definition, "web", definition.services["web"].extensions["x-devstack"]["host"], STEPS)


def test_short_forms_mean_what_they_mean_elsewhere(tmp_path: Path) -> None:
    (tmp_path / "web.env").write_text("A=from file\nB=from file\n", encoding="utf-8")
    process = read(
        tmp_path,
        "{command: python 'a b.py', working_dir: app, env_file: web.env, environment: [A=1, HOME],"
        " ready: '${P}', ports: ['${P}:5000', 7000], watch: [app, {path: lib, ignore: '*.pyc'}],"
        " depends_on: [redis], stop_grace_period: 2s, stop_signal: SIGINT, restart: 'on-failure:3'}",
    )
    assert process.name == "web"
    assert process.command == ("python", "a b.py")
    assert process.working_dir == str(tmp_path / "app")
    assert process.environment == {"A": "1", "B": "from file", "HOME": "/home/me"}
    assert process.ready is not None
    assert process.ready.port == 8081
    assert [(port.process, port.container) for port in process.ports] == [(8081, 5000), (7000, 7000)]
    assert [(rule.path, rule.ignore) for rule in process.watch] == [
        (str(tmp_path / "app"), ()),
        (str(tmp_path / "lib"), ("*.pyc",)),
    ]
    assert process.depends_on["redis"].condition == "service_started"
    assert float(process.stop_grace_period or 0) == 2
    assert (process.stop_signal, process.restart) == ("SIGINT", "on-failure:3")


@pytest.mark.parametrize(
    ("block", "message", "key"),
    [
        ("{comand: x}", "unknown key `comand`", ".comand"),
        ("", "must be a mapping, not empty", ""),
        ("[a]", "must be a mapping, not a list", ""),
        ("{working_dir: x}", "needs `command`", ""),
        ("{command: }", "must be a string or a list, not empty", ".command"),
        ('{command: ""}', "must name a program", ".command"),
        ("{command: []}", "must name a program", ".command"),
        ("{command: ['', a]}", "must name a program", ".command"),
        ('{command: "x \'y"}', "unclosed quote", ".command"),
        ("{command: x, ready: 99999}", "must be a port from 1 to 65535", ".ready.port"),
        ("{command: x, ready: soon}", "must be a port", ".ready"),
        ("{command: x, ready: {path: /}}", "say in one way when it is ready", ".ready"),
        ("{command: x, ready: {port: 1, log: x}}", "say in one way when it is ready", ".ready"),
        ("{command: x, ready: {log: '('}}", "invalid pattern", ".ready.log"),
        ("{command: x, env_file: nix.env}", "no such env file", ".env_file[0]"),
        ("{command: x, restart: sometimes}", "must be `no`, `always`", ".restart"),
        ("{command: x, ports: ['a:b']}", "invalid port `a:b`", ".ports[0]"),
        ("{command: x, stop_grace_period: soon}", "soon", ".stop_grace_period"),
    ],
)
def test_an_error_says_where(tmp_path: Path, block: str, message: str, key: str) -> None:
    with pytest.raises(DefinitionError) as caught:
        read(tmp_path, block)
    assert message in caught.value.message
    position = caught.value.position
    assert position is not None
    assert position.line == 6
    assert position.key == ".".join(STEPS) + key
