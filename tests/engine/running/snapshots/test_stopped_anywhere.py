"""Operations on data, stopped at each of their requests, and again in the settling: the next `up`
finds the data old or new, whole, and leaves nothing behind. docs/contributing/protocols.md has the states."""

from __future__ import annotations

import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest

from invoke_devstack.engine.docker_engine import DockerEngine
from invoke_devstack.errors import ConflictError, NotFoundError
from invoke_devstack.planning import labels
from invoke_devstack.running.snapshots import files, restoring, taking
from invoke_devstack.running.snapshots.common import list_snapshots
from tests.engine.stacks import Stack
from tests.faults.restoring import STACK
from tests.proxy import EngineProxy, Verdict

ROOT = Path(__file__).parents[4]
_CHANGES = re.compile(r"(POST|PUT|DELETE) ")


class Data:
    """A stack whose data is one word in many files of two volumes."""

    def __init__(self, stack: Stack) -> None:
        self.stack = stack
        self.engine = stack.engine

    def fill(self, word: str) -> None:
        script = f"rm -rf /a/* /b/*; for i in 1 2 3 4 5; do echo {word} > /a/$i; echo {word} > /b/$i; done"
        self._shell(script)

    def words(self) -> str:
        return self._shell("cat /a/* /b/* 2>/dev/null | sort | uniq -c; ls -A /a /b | grep devstack || :")

    def _shell(self, script: str) -> str:
        result = self.engine.exec(self.stack.container("db"), ("sh", "-c", script))
        assert result.exit_code == 0, result.output
        return " ".join(result.output.decode().split())

    def left(self) -> list[str]:
        """What interrupted commands left on the engine."""
        project = self.stack.project
        volumes = self.engine.list_volumes({"name": [project]})
        marks = [item["Name"] for item in volumes if labels.UNFINISHED in (item.get("Labels") or {})]
        snapshots = {item.data_volume for item in list_snapshots(self.engine, project)}
        halves = [
            item["Name"] for item in volumes if ".snapshot." in item["Name"] and item["Name"] not in snapshots
        ]
        copies = self.engine.list_containers(
            {"label": [f"{labels.PROJECT}={project}", labels.COPY_CONTAINER]}
        )
        return [*marks, *halves, *(str(item["Names"]) for item in copies)]

    def policy(self) -> str:
        found = self.engine.inspect_container(self.stack.container("db"))
        return str(found["HostConfig"]["RestartPolicy"]["Name"])

    def end_copies(self) -> None:
        """As a machine that is switched off does."""
        wanted = [f"{labels.PROJECT}={self.stack.project}", labels.COPY_CONTAINER]
        for item in self.engine.list_containers({"label": wanted}):
            try:
                self.engine.kill(item["Id"])
            except (ConflictError, NotFoundError):
                continue

    def stopped(self, at: int, *words: str) -> bool:
        """Runs a command that is killed before its change number `at`. False if it has ended before."""
        with TemporaryDirectory() as folder:
            client: list[subprocess.Popen[bytes]] = []
            changes: list[str] = []

            def decide(number: int, line: str) -> Verdict:
                if _CHANGES.match(line):
                    changes.append(line)
                    if len(changes) == at:
                        client[0].kill()
                        return Verdict.DROP
                return Verdict.PASS

            proxy = EngineProxy(Path(folder) / "engine.sock", self.engine.endpoint.url, decide)
            try:
                client.append(_start(proxy.url, self.stack.folder, *words))
                return client[0].wait(120) == -9
            finally:
                proxy.close()


def _start(url: str, folder: Path, *words: str) -> subprocess.Popen[bytes]:
    command = [sys.executable, "-m", "tests.engine.running.command_process", url, str(folder), *words]
    return subprocess.Popen(command, cwd=ROOT, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)


@pytest.fixture
def data(engine: DockerEngine, busybox: str, project: str, tmp_path: Path) -> Iterator[Data]:
    stack = Stack(engine, tmp_path, project, busybox)
    stack.write(STACK)
    made = Data(stack)
    stack.up()
    made.fill("new")
    taking.take(stack.session(), "db", "new")
    files.export(stack.session(), "new", tmp_path / "new.tgz")
    made.fill("old")
    yield made
    stack.down(volumes=True)
    for entry in engine.list_volumes({"name": [f"{project}.snapshot"]}):
        engine.remove_volume(entry["Name"])


WHOLE = {"10 old": "old", "10 new": "new", "": "empty"}
POSSIBLE = {
    ("restore", "db", "new"): {"old", "new"},
    ("reset", "db"): {"old", "empty"},
    ("snapshot", "db", "more"): {"old"},
    ("import", "more", "FILE"): {"old"},
    ("export", "new", "OTHER"): {"old"},
}


@pytest.mark.parametrize("words", POSSIBLE, ids=lambda words: words[0])
def test_stopped_anywhere_twice_the_data_is_whole_and_nothing_is_left(
    data: Data, words: tuple[str, ...], tmp_path: Path
) -> None:
    names = {"FILE": str(tmp_path / "new.tgz"), "OTHER": str(tmp_path / "other.tgz")}
    command = tuple(names.get(word, word) for word in words)
    seen = set()
    at = 1
    while data.stopped(at, *command):
        if at % 2:
            data.end_copies()
        data.stopped(1 + at % 5, "up")  # in the settling, where there is one
        data.stack.up()
        found = data.words()
        assert found in WHOLE, f"stopped at change {at}: {found}"
        seen.add(WHOLE[found])
        assert data.left() == [], f"stopped at change {at}"
        assert data.policy() == "always", f"stopped at change {at}"
        _begin_again(data, tmp_path)
        at += 1
    assert seen == POSSIBLE[words]
    assert at > 3
    assert not list(tmp_path.glob(".*.partial"))


def _begin_again(data: Data, folder: Path) -> None:
    session = data.stack.session()
    for item in list_snapshots(data.engine, data.stack.project):
        if item.name != "new":
            taking.remove(session, item.name)
    (folder / "other.tgz").unlink(missing_ok=True)
    data.stack.up()
    data.fill("old")


@pytest.mark.parametrize("verb", ["start", "run", "up", "restore"])
def test_what_cannot_be_finished_now_starts_nothing(data: Data, verb: str) -> None:
    """The shell that finishes a restore is gone: here, because the script fails."""
    stack = data.stack
    left_unfinished(data)
    words = {"run": ("run", "db", "true"), "restore": ("restore", "db", "new")}.get(verb, (verb,))
    ended = _start(stack.engine.endpoint.url, stack.folder, *words).wait(60)
    assert ended == 1
    assert stack.state("db") == "exited"
    assert data.policy() == "no"
    block(stack, "rmdir /a/.devstack-restore/old/5")
    stack.up()
    assert data.words() == "10 new"
    assert data.left() == []
    assert data.policy() == "always"


def left_unfinished(data: Data) -> None:
    """A restore that was killed in its renames, and cannot go on: a directory is in the way of a file."""
    stack = data.stack
    with pytest.MonkeyPatch.context() as patch, pytest.raises(KeyboardInterrupt):
        patch.setattr("invoke_devstack.running.copy_container.restore", _killed)
        patch.setattr("invoke_devstack.running.unfinished.has_ended", lambda *_: False)
        restoring.restore(stack.session(), "db", "new")
    files = "for i in 1 2 3 4 5; do echo new > $w/$i; done"
    block(stack, f"for v in a b; do w=/$v/.devstack-restore/part; mkdir -p $w; {files}; done")
    block(stack, "cd /a/.devstack-restore; mv part new; mkdir -p old/5; mv /a/1 old/")


def _killed(*_: object) -> None:
    raise KeyboardInterrupt


def block(stack: Stack, script: str) -> None:
    binds = [f"{stack.project}_first:/a", f"{stack.project}_other:/b"]
    body = {"Image": stack.image, "Cmd": ["sh", "-c", script], "HostConfig": {"Binds": binds}}
    made = stack.engine.create_container(f"{stack.project}-block", body)
    try:
        stack.engine.start(made)
        assert stack.engine.wait(made, timeout=60) == 0
    finally:
        stack.engine.remove_container(made, force=True)
