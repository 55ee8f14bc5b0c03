"""Isolated copies of a stack: many at once, killed ones, expired ones, and what a variable chooses."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import threading
import time
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from docker.errors import APIError

from invoke_devstack.engine.endpoints import find_endpoint
from invoke_devstack.planning import labels
from invoke_devstack.planning.copies.copies import Copy
from invoke_devstack.running.copies import folder
from invoke_devstack.running.locks import INHERITED, Holder, lock_name
from invoke_devstack.tasks.agents.copies import add_copy, end_copy, list_copies
from invoke_devstack.testing.project import SilentConsole, load_work
from tests.functional.conftest import BUSYBOX, Project, output_of
from tests.functional.copies.conftest import Stack

MANY = [f"c{number}" for number in range(10)]


def ended(process: subprocess.Popen[str]) -> tuple[int, str, str]:
    out, err = process.communicate(timeout=400)
    return process.returncode, out, err


def wait_for(found: Callable[[], Any], what: str) -> Any:
    until = time.monotonic() + 60
    while time.monotonic() < until:
        with suppress(APIError):
            if value := found():
                return value
        time.sleep(0.02)
    raise AssertionError(f"{what} did not come")


@pytest.mark.timeout(900)
def test_ten_copies_at_once_have_data_and_ports_of_their_own_and_leave_nothing(stack: Stack) -> None:
    before = stack.web().attrs["Id"], stack.web().attrs["State"]["StartedAt"]
    adding = [stack.start("copies.add", name, "--json") for name in MANY]
    results = [ended(process) for process in adding]
    assert [code for code, _, _ in results] == [0] * len(MANY), [err for _, _, err in results]
    answers = [json.loads(out) for _, out, _ in results]
    assert {row["state"] for row in stack.rows().values()} == {"running"}
    assert {*stack.rows()} == {*MANY}

    hosts = {name: stack.web(name).attrs["Config"]["Hostname"] for name in MANY}
    for name in MANY:
        wait_for(lambda name=name: stack.written(name), f"a line of {name}")  # type: ignore[misc]
        assert stack.written(name) == {hosts[name]}
    assert stack.written() == {stack.web().attrs["Config"]["Hostname"]}
    addresses = [item["address"] for answer in answers for item in answer["addresses"]]
    assert len({*addresses}) == len(MANY)
    with urllib.request.urlopen(f"{addresses[0]}/log", timeout=60) as page:
        assert hosts["c0"] in page.read().decode()

    ending = [stack.start("copies.end", name, "--json") for name in MANY]
    assert [code for code, _, _ in map(ended, ending)] == [0] * len(MANY)
    assert stack.left() == []
    assert all(stack.left(name) == [] for name in MANY)
    assert before == (stack.web().attrs["Id"], stack.web().attrs["State"]["StartedAt"])


def test_of_two_commands_that_add_the_same_name_one_is_told(stack: Stack) -> None:
    results = [ended(process) for process in [stack.start("copies.add", "same") for _ in range(2)]]
    assert sorted(code for code, _, _ in results) == [0, 2], results
    (err,) = (err for code, _, err in results if code)
    assert "there is a copy `same` already" in err
    assert "invoke copies.end same" in err
    assert stack.invoke("copies.end", "same").code == 0
    assert stack.left("same") == []


def test_the_variable_has_every_task_act_on_the_copy_alone(stack: Stack) -> None:
    (stack.directory / "hook.log").unlink(missing_ok=True)
    added = stack.add("job", "--ttl", "1h30m")
    assert added.code == 0, added.err
    copy, host = stack.in_copy("job"), stack.web("job").attrs["Config"]["Hostname"]
    hook = (stack.directory / "hook.log").read_text().strip()
    assert hook == f"job|job {stack.copy_project('job')}|{host}"  # as the hooks of `copies.add` see it

    row = stack.rows()["job"]
    lasts = datetime.fromisoformat(row["expires_at"]) - datetime.fromisoformat(row["created_at"])
    assert (lasts, row["of"], row["there"]) == (timedelta(hours=1, minutes=30), stack.name, True)

    (listed,) = copy.invoke("ps", "--json").json()
    assert listed["container"] == f"{stack.copy_project('job')}-web-1"
    assert copy.invoke("exec", "web", "hostname").out.strip() == host
    said = copy.invoke("logs").out
    assert host in said
    assert stack.web().attrs["Config"]["Hostname"] not in said

    inside = replace(stack, directory=Path(added.json()["folder"]))  # no variable, but the copy's folder
    (listed,) = inside.invoke("ps", "--json").json()
    assert listed["container"] == f"{stack.copy_project('job')}-web-1"

    down = copy.invoke("down", "--volumes", "--yes")
    assert (down.code, copy.invoke("ps", "--all", "--json").json()) == (0, [])
    assert stack.rows()["job"]["state"] == "empty"
    assert stack.web().attrs["State"]["Running"]
    assert len(stack.volumes()) == 1
    again = copy.invoke("up", "--detach")
    assert again.code == 0, again.err
    assert stack.written("job") <= {stack.web("job").attrs["Config"]["Hostname"]}
    # The tasks about copies are about the stack itself, also from within one.
    assert [item["copy"] for item in copy.invoke("copies", "--json").json()] == ["job"]
    assert inside.invoke("copies.end", "job").code == 0
    assert stack.left("job") == []
    assert not inside.directory.exists()


def test_a_program_adds_a_copy_beside_the_stack_that_it_holds(
    stack: Stack, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name, value in (*stack.variables.items(), ("COMPOSE_PROJECT_NAME", stack.name)):
        monkeypatch.setenv(name, value)
    monkeypatch.setattr(sys, "path", [*sys.path])  # Invoke's loader puts the project first
    (stack.directory / "hook.log").unlink(missing_ok=True)
    holding = load_work(stack.directory)
    adding = holding.twin(SilentConsole())
    made: list[dict[str, Any]] = []
    thread = threading.Thread(target=lambda: made.append(add_copy(adding, "beside")))
    thread.start()
    thread.join()
    try:
        assert made[0]["project"] == stack.copy_project("beside")
        host = stack.web("beside").attrs["Config"]["Hostname"]
        assert (stack.directory / "hook.log").read_text() == f"|beside {made[0]['project']}|{host}\n"
        assert (holding.project, holding.copy_name) == (stack.name, "")
        assert "DEVSTACK_COPY" not in {**os.environ, **holding.context.config.run.env}
        assert [row["copy"] for row in list_copies(holding)] == ["beside"]
    finally:
        assert end_copy(holding, "beside") == {"copy": "beside", "project": stack.copy_project("beside")}
        for work in (holding, adding):
            work.engine.close()
    assert stack.left("beside") == []


def test_what_a_copy_cannot_do_is_said_and_nothing_is_done_to_the_stack(stack: Stack) -> None:
    for words, said in {
        ("copies.add", "Big"): "invalid name `Big`",
        ("copies.add", "x", "--ttl", "soon"): "invalid duration `soon`",
        ("copies.add", "x", "--from-snapshot", "none"): "unknown snapshot `none`",
        ("copies.end", "nobody"): "unknown copy `nobody`",
    }.items():
        refused = stack.invoke(*words)
        assert (refused.code, said in refused.err) == (2, True), refused.err
    for words, said in {
        ("down",): "unknown copy `nobody`",
        ("ps",): "unknown copy `nobody`",
        ("up", "--detach", "--host", "web"): "has no processes of this machine",
        ("deploy", "--yes"): "cannot be deployed",
    }.items():
        refused = stack.in_copy("nobody").invoke(*words)
        assert (refused.code, said in refused.err) == (2, True), refused.err
    assert stack.web().attrs["State"]["Running"]
    assert stack.left() == []


@pytest.fixture(scope="module")
def snapshot(stack: Stack) -> str:
    """A snapshot of the stack, with a file `kept`."""
    stack.web().exec_run(["sh", "-c", "echo precious > /data/kept"])
    taken = stack.invoke("snapshot", "web", "--name", "base")
    assert taken.code == 0, taken.err
    return "base"


def test_a_copy_begins_with_the_data_of_a_snapshot_and_does_not_write_to_it(
    stack: Stack, snapshot: str
) -> None:
    added = stack.add("filled", "--from-snapshot", snapshot)
    assert added.code == 0, added.err
    assert added.json()["snapshot"] == "base"
    copy = stack.in_copy("filled")
    assert copy.invoke("exec", "web", "cat", "/data/kept").out == "precious\n"
    assert copy.invoke("exec", "web", "sh", "-c", "echo mine > /data/kept").code == 0
    assert output_of(stack.web(), "cat", "/data/kept") == b"precious\n"
    # A snapshot of the copy is the copy's, and ends with it; that of the stack stays.
    assert copy.invoke("snapshot", "web", "--name", "inner").code == 0
    assert [row["name"] for row in stack.invoke("snapshots", "--json").json()] == ["base"]
    assert stack.invoke("copies.end", "filled").code == 0
    assert stack.left("filled") == []
    assert stack.client.volumes.list(filters={"name": stack.copy_project("filled")}) == []
    assert [row["name"] for row in stack.invoke("snapshots", "--json").json()] == ["base"]


@pytest.mark.parametrize("moment", ["claimed", "container"])
def test_a_killed_command_leaves_nothing_that_is_not_listed(stack: Stack, snapshot: str, moment: str) -> None:
    process = stack.start("copies.add", "dead", "--from-snapshot", snapshot)
    if moment == "claimed":
        mark = f"devstack-copy-{stack.copy_project('dead')}"
        wait_for(lambda: stack.client.volumes.list(filters={"name": mark}), "the mark")
    else:
        wait_for(lambda: stack.web("dead"), "the container")
    process.kill()
    process.communicate()

    row = stack.rows()["dead"]
    assert row["snapshot"] == snapshot
    if moment == "claimed" and row["state"] == "incomplete":  # else it was faster than our signal
        refused = stack.in_copy("dead").invoke("up", "--detach")
        assert (refused.code, "does not have the data" in refused.err) == (2, True), refused.err
    taken = stack.add("dead")
    assert (taken.code, "there is a copy `dead` already" in taken.err) == (2, True), taken.err
    assert stack.invoke("copies.end", "dead").code == 0
    assert stack.left("dead") == []
    assert "dead" not in stack.rows()


def test_what_has_outlived_its_time_is_ended_by_the_next_command_of_another_stack(
    stack: Stack, new_project: Callable[..., Project]
) -> None:
    other = new_project("services: {one: {image: IMAGE, init: true, command: [sleep, '600']}}")
    for words in (("up", "--detach"), ("down",), ("copies.list",)):
        with planted(stack, "old", other):
            said = other.invoke(*words).err
        assert f"copy old of {stack.name} has outlived its 2h0m0s: ended" in said
        assert stack.left("old") == []
    assert stack.web().attrs["State"]["Running"]


@pytest.mark.parametrize("words", [("ps", "--json"), ("logs",), ("status",)], ids=["ps", "logs", "status"])
def test_a_command_that_only_looks_ends_what_has_outlived_its_time_and_names_it(
    stack: Stack, new_project: Callable[..., Project], words: tuple[str, ...]
) -> None:
    other = new_project("services: {one: {image: IMAGE}}")
    other.variables["XDG_STATE_HOME"] = stack.variables["XDG_STATE_HOME"]
    with planted(stack, "seen", other, noted=True):
        assert "seen" not in other.invoke("--dry", *words).err
        said = other.invoke(*words).err
    assert f"copy seen of {stack.name} has outlived its 2h0m0s: ended" in said
    assert stack.left("seen") == []
    assert "seen" not in other.invoke(*words).err


def test_a_note_of_a_copy_that_somebody_else_has_ended_is_forgotten(stack: Stack) -> None:
    plant(stack, "gone", noted=True)
    elsewhere = replace(
        stack, variables={**stack.variables, "XDG_STATE_HOME": str(stack.directory / "other")}
    )
    assert "gone" not in elsewhere.invoke("ps").err  # it is not that user's
    assert elsewhere.invoke("copies.list").code == 0
    wait_for(lambda: not stack.left("gone"), "the end of the copy")
    assert stack.invoke("ps").err == ""
    assert not [*Path(stack.variables["XDG_STATE_HOME"]).glob("*/copies/*/ends")]


def test_a_task_on_a_copy_that_has_outlived_its_time_says_so(stack: Stack) -> None:
    plant(stack, "late")
    refused = stack.in_copy("late").invoke("ps")
    assert refused.code == 2
    assert "late" in refused.err
    wait_for(lambda: not stack.left("late"), "the end of the copy")


@contextmanager
def planted(stack: Stack, name: str, by: Project, *, noted: bool = False) -> Iterator[None]:
    """As `plant`. While entered, no other command on this engine ends the copy but those of `by`."""
    holder = Holder.of_this_process()
    project = stack.copy_project(name)
    own = {labels.LOCK: project, labels.LOCK_HOLDER: holder.to_label()}
    lock = stack.client.volumes.create(lock_name(project), labels=own)
    by.variables[INHERITED] = holder.token
    try:
        plant(stack, name, noted=noted)
        yield
    finally:
        lock.remove()


def plant(stack: Stack, name: str, *, noted: bool = False) -> None:
    """What is left of a copy whose time was over a second ago: mark, volume, network and container; and the
    note of its end."""
    now = datetime.now(UTC)
    copy = Copy(
        name=name,
        of=stack.name,
        directory=str(stack.directory),
        created_at=(now - timedelta(hours=2, seconds=1)).isoformat(),
        expires_at=(now - timedelta(seconds=1)).isoformat(),
        token="test",
    )
    own = {**copy.labels(), "com.docker.compose.project": copy.project}
    volume = f"{copy.project}_data"
    stack.client.volumes.create(volume, labels=own)
    stack.client.networks.create(f"{copy.project}_default", labels=own)
    stack.client.containers.run(
        BUSYBOX,
        ["sleep", "600"],
        name=f"{copy.project}-web-1",
        labels=own,
        volumes={volume: {"bind": "/data"}},
        detach=True,
    )
    stack.client.volumes.create(copy.mark, labels=copy.labels())
    if noted:
        with pytest.MonkeyPatch.context() as patch:
            patch.setenv("XDG_STATE_HOME", stack.variables["XDG_STATE_HOME"])
            folder.write(copy, stack.directory, find_endpoint().url)
