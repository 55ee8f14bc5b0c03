"""What `init` writes for each shape of project, kept in golden/. `GOLDEN=write pytest THIS_FILE` writes it
again; read the difference before you commit it."""

from __future__ import annotations

import os
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from invoke_devstack.definition import load
from invoke_devstack.events import Event
from invoke_devstack.setup.scaffold.write import write_first_files
from tests.unit.setup.scaffold.shapes import SHAPES, write_shape

GOLDEN = Path(__file__).parent / "golden"
_SAME_EVERYWHERE = ("tasks.py", "Makefile", ".dockerignore", ".env.example", ".gitignore")
_ROOT_ALLOWED = ("FROM scratch", "FROM nginx")


@pytest.mark.parametrize("shape", SHAPES)
def test_what_is_written_is_what_was_read_and_found_good(tmp_path: Path, shape: str) -> None:
    text = "\n".join(_written(write_shape(shape, tmp_path)))
    golden = GOLDEN / f"{shape}.txt"
    if os.environ.get("GOLDEN") == "write":
        golden.write_text(text)
    assert text == golden.read_text()


def _written(folder: Path) -> Iterator[str]:
    """What was said, and each file with its name."""
    said: list[Event] = []
    done = write_first_files(folder, said.append, None)
    yield from (str(event.to_json()["text"]) for event in said)
    for path in done.written:
        if Path(path).name not in _SAME_EVERYWHERE and not path.startswith(_servers(done.servers)):
            yield f"\n==> {path} <==\n{(folder / path).read_text()}"


def _servers(names: tuple[str, ...]) -> tuple[str, ...]:
    return tuple(f"services/{name}.yaml" for name in names)


@pytest.mark.parametrize("shape", SHAPES)
def test_it_is_a_definition_whose_watch_rebuilds_for_packages_and_syncs_the_rest(
    tmp_path: Path, shape: str
) -> None:
    write_first_files(write_shape(shape, tmp_path), lambda _: None, None)
    definition = load(tmp_path, environment={})
    for service in definition.services.values():
        rules = service.develop.watch if service.develop else ()
        for rule in rules:
            assert Path(rule.path).exists()
        if rules:
            assert rules[0].action in ("sync", "sync+restart")
            assert {rule.action for rule in rules[1:]} <= {"rebuild"}


@pytest.mark.parametrize("shape", SHAPES)
def test_a_dockerfile_installs_packages_before_the_code_and_does_not_run_as_root(
    tmp_path: Path, shape: str
) -> None:
    write_first_files(write_shape(shape, tmp_path), lambda _: None, None)
    for file in tmp_path.rglob("Dockerfile"):
        text = file.read_text()
        copied = re.findall(r"^COPY (?:--chown=\S+ )?(.+) \S+$", text, re.MULTILINE)
        if text.startswith(_ROOT_ALLOWED):
            continue
        named = [name for words in copied[:-1] for name in words.split() if not name.startswith("--from")]
        assert copied[-1] == "."
        assert all((file.parent / name).exists() for name in named if not name.startswith("/"))
        assert re.search(r"^USER (?!root)\w+$", text, re.MULTILINE)
        assert text.index("RUN ") < text.rindex("COPY ")


@pytest.mark.parametrize("shape", [name for name in SHAPES if name not in ("devcontainer", "monorepo")])
def test_what_serves_has_a_healthcheck(tmp_path: Path, shape: str) -> None:
    write_first_files(write_shape(shape, tmp_path), lambda _: None, None)
    for service in load(tmp_path, environment={}).services.values():
        if service.ports:
            assert service.healthcheck is not None
