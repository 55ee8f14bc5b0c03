"""What befalls a service is told when it happens, by whatever shows the stack."""

from __future__ import annotations

import signal
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from subprocess import Popen

from tests.functional.conftest import Project, invoke_command

NewProject = Callable[..., Project]

STACK = """
    services:
      dies:
        image: IMAGE
        init: true
        command: sh -c 'echo here; while ! test -e /go; do sleep 0.1; done; exit 3'
      loops:
        image: IMAGE
        init: true
        restart: always
        command: sh -c 'while ! test -e /go; do sleep 0.1; done; rm /go; exit 4'
      killed: {image: IMAGE, init: true, command: sleep 1000}
      sick:
        image: IMAGE
        init: true
        command: sleep 1000
        healthcheck: {test: [CMD, test, "!", -e, /go], interval: 1s, retries: 1}
"""


@contextmanager
def attached(project: Project, *words: str, ready: str = " is up") -> Iterator[Path]:
    """The file that gets the output of the command, once it has printed `ready`."""
    shown = project.directory / "shown"
    with shown.open("w") as output:
        started = Popen(
            (invoke_command(), *words),
            cwd=project.directory,
            env=project.environment,
            stdout=output,
            stderr=output,
            text=True,
        )
        try:
            wait_for(shown, ready)
            yield shown
            started.send_signal(signal.SIGINT)
            started.wait(timeout=60)
        finally:
            if started.poll() is None:
                started.kill()
                started.wait()


def wait_for(file: Path, text: str, seconds: float = 60.0) -> None:
    until = time.monotonic() + seconds
    while text not in (shown := file.read_text(errors="replace")):  # half a character may have been written
        assert time.monotonic() < until, shown
        time.sleep(0.1)


def test_an_attached_up_tells_of_ends_restarts_and_health(new_project: NewProject) -> None:
    project = new_project(STACK)
    with attached(project, "up", "--attach") as shown:
        for name in ("dies", "loops", "sick"):
            project.container(name).exec_run("touch /go")
        project.container("killed").kill()
        wait_for(shown, "exited with code 3")
        wait_for(shown, "exited with code 4; the engine restarts it (1 time so far)")
        wait_for(shown, "was stopped from outside with SIGKILL, exit code 137")
        wait_for(shown, "is unhealthy: its healthcheck fails")
        project.container("sick").exec_run("rm /go")
        wait_for(shown, "is healthy again")
        listed = project.invoke("ps")
        assert "restarted 1 time" in listed.out
        assert "2 more have ended: `invoke ps --all`" in listed.err
    said = shown.read_text()
    assert "killed  exited" not in said
    assert said.count("was stopped from outside") == 1, "what up itself stops is no news"


def test_the_last_end_of_a_limited_policy_is_no_restart(new_project: NewProject) -> None:
    stack = """
        services:
          tries:
            image: IMAGE
            restart: "on-failure:2"
            command: sh -c 'while ! test -e /go; do sleep 0.1; done; sleep 2; exit 5'
          stays: {image: IMAGE, init: true, command: sleep 1000}
    """
    project = new_project(stack)
    with attached(project, "up", "--attach") as shown:
        project.container("tries").exec_run("touch /go")
        wait_for(shown, "tries  exited with code 5; the engine restarts it (1 time so far)\n")
        wait_for(shown, "tries  exited with code 5; the engine restarts it (2 times so far)\n")
        wait_for(shown, "tries  exited with code 5; the engine restarts it no more (on-failure:2)\n")
    assert "3 times" not in shown.read_text()


def test_a_container_that_the_engine_does_not_restart_any_more_ends_the_command(
    new_project: NewProject,
) -> None:
    project = new_project(
        """
        services:
          tries: {image: IMAGE, restart: "on-failure:1", command: sh -c 'sleep 2; exit 5'}
          stays: {image: IMAGE, init: true, command: sleep 1000}
        """
    )
    ended = project.invoke("up", "--abort-on-container-exit")
    assert ended.code == 5
    assert project.container("tries").attrs["RestartCount"] == 1


def test_what_another_command_ends_is_told(new_project: NewProject) -> None:
    project = new_project(STACK)
    with attached(project, "up", "--attach") as shown:
        assert project.invoke("restart", "-s", "killed").code == 0
        wait_for(shown, "was stopped from outside with SIGTERM")


def test_when_all_have_exited_a_failure_is_a_failure(new_project: NewProject) -> None:
    waits = "while ! test -e /go; do sleep 0.1; done; exit 3"
    project = new_project(f"services: {{a: {{image: IMAGE, command: sh -c '{waits}'}}}}")
    started = project.start("up", "--attach")
    assert started.stdout is not None
    assert any(" is up" in line for line in started.stdout)
    project.container("a").exec_run("touch /go")
    _, err = started.communicate(timeout=60)
    assert started.returncode == 1
    assert "a  exited with code 3" in err
    assert "error: all services have exited: a with code 3" in err


def test_following_logs_says_why_it_waits(new_project: NewProject) -> None:
    project = new_project(STACK)
    assert project.invoke("up", "--detach", "-s", "dies").code == 0
    with attached(project, "logs", "--follow", ready="") as shown:
        wait_for(shown, "here")  # now it follows
        project.container("dies").exec_run("touch /go")
        wait_for(shown, "exited with code 3")
        wait_for(shown, "All services have exited; waiting for one to start again")


def test_wait_says_what_it_waits_for(new_project: NewProject) -> None:
    project = new_project(STACK)
    assert project.invoke("up", "--detach", "-s", "dies,loops").code == 0
    with attached(project, "wait", ready="waiting for dies, loops to exit") as shown:
        wait_for(shown, "the engine restarts it when it exits")


def test_a_service_that_was_recreated_is_news_when_it_ends(new_project: NewProject) -> None:
    stack = """
        services:
          dies:
            image: IMAGE
            init: true
            environment: {AGE: "${AGE}"}
            command: sh -c 'while ! test -e /go; do sleep 0.1; done; exit 3'
          stays: {image: IMAGE, init: true, command: sleep 1000}
    """
    project = new_project(stack, variables={"AGE": "1"})
    assert project.invoke("up", "--detach").code == 0
    project.variables["AGE"] = "2"
    with attached(project, "up", "--attach") as shown:
        project.container("dies").exec_run("touch /go")
        wait_for(shown, "exited with code 3")


def test_of_several_containers_the_one_that_ends_is_named(new_project: NewProject) -> None:
    project = new_project(
        "services:\n  web: {image: IMAGE, init: true, command: sleep 1000, scale: 2}\n", measured=True
    )
    with attached(project, "up", "--attach") as shown:
        first, second = sorted(project.containers(), key=lambda item: str(item.name))
        second.kill()
        wait_for(shown, "web-2  was stopped from outside with SIGKILL")
        first.kill()
        wait_for(shown, "web-1  was stopped from outside with SIGKILL")


def test_nothing_waits_for_what_never_started(new_project: NewProject) -> None:
    project = new_project("services:\n  a: {image: IMAGE, command: 'true'}\n", measured=True)
    for words, error in (
        ((), f"error: {project.name} has no containers to wait for"),
        (("a",), "error: `a` never started, so there is nothing to wait for"),
    ):
        ended = project.invoke("wait", *words)
        assert (ended.code, error in ended.err) == (1, True), ended
    assert project.invoke("create").code == 0
    ended = project.invoke("wait")
    assert (ended.code, "`a` never started" in ended.err) == (1, True), ended
    assert "invoke up -s a" in ended.err
    assert project.invoke("up", "--detach").code == 0
    assert project.invoke("wait").code == 0
