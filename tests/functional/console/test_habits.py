"""The commands that users of Compose type most, each as it is typed, on one running stack."""

from __future__ import annotations

import secrets
import shlex
import signal
from collections.abc import Iterator, Mapping

import docker
import pytest

from tests.functional.conftest import TASKS, Ended, Project
from tests.functional.stack.test_words import states
from tests.habits import STACK, TYPED, Typed

_HOW = {
    ("tool", "running"): "--profile debug up -d tool",
    ("tests", "exited"): "up --exit-code-from tests tests",
}
"""How a service gets into a state; else by `stop` or `create`."""


@pytest.fixture(scope="module")
def project(
    tmp_path_factory: pytest.TempPathFactory, client: docker.DockerClient, busybox: str
) -> Iterator[Project]:
    name = f"t-habits-{secrets.token_hex(4)}"
    made = Project(tmp_path_factory.mktemp(name), name, client)
    made.write("tasks.py", TASKS)
    made.write("Dockerfile", f"FROM {busybox}\nRUN true\n")
    made.write("src/page.html", "hello\n")
    made.write("other.yaml", f"services: {{extra: {{image: {busybox}, command: sleep 600}}}}\n")
    made.write(".env.test", "A=1\n")
    made.compose(STACK)
    yield made
    for image in client.images.list(name="t-habits"):  # of `commit`, a child of the other
        client.images.remove(str(image.id), force=True)
    made.remove_everything()


def prepare(project: Project, wanted: Mapping[str, str]) -> None:
    """Brings the stack into a state, if it is in another one: a test runs alone, or one before it failed."""
    if states(project) == wanted:
        return
    project.invoke("down", "--timeout", "0")
    if "created" in wanted.values():
        project.invoke("create")
    elif wanted:
        project.invoke("up", "--detach")
    for service, state in wanted.items():
        if how := _HOW.get((service, state)):
            project.invoke(*shlex.split(how))
        elif state == "exited":
            project.invoke("stop", service)
    assert states(project) == wanted


def type_it(project: Project, typed: Typed) -> Ended:
    words = shlex.split(typed.words)
    if not typed.until:
        return project.invoke(*words)
    process = project.start(*words)
    assert process.stdout
    assert process.stderr
    shown = process.stderr if words[0] == "watch" else process.stdout
    seen = ""
    while typed.until not in seen:
        line = shown.readline()
        assert line, (seen, process.stderr.read())
        seen += line
    process.send_signal(signal.SIGINT)
    out, err = process.communicate(timeout=60)
    return Ended(process.returncode, seen + out, err, 0.0)


@pytest.mark.parametrize("typed", TYPED, ids=lambda typed: typed.words)
def test_it_does_what_is_meant(project: Project, typed: Typed) -> None:
    prepare(project, typed.before)
    ended = type_it(project, typed)
    assert ended.code == typed.code, ended
    for text in typed.says:
        assert text in ended.out + ended.err, ended
    for text in typed.hides:
        assert text not in ended.out, ended
    assert states(project) == (typed.before if typed.after is None else typed.after), ended
