"""Small words of the everyday, on one stack."""

from __future__ import annotations

from collections.abc import Callable

from tests.functional.conftest import Project, find_free_port

STACK = """
    services:
      web10: {image: IMAGE, init: true, command: [sleep, "600"]}
      web2:
        image: IMAGE
        init: true
        command: [sh, -c, "for i in 1 2 3 4 5; do echo x$$i; echo y; done; exec sleep 600"]
        deploy: {replicas: 2}
        healthcheck: {test: ["CMD", "true"], interval: 1s}
      db:
        image: IMAGE
        init: true
        command: [httpd, -f, -p, "3306"]
        ports: ["PORT:3306"]
        x-devstack: {ready: running}
"""


def test_words_of_the_everyday(new_project: Callable[..., Project]) -> None:
    project = new_project(STACK.replace("PORT", str(find_free_port())))
    started = project.invoke("up", "-d")
    assert started.code == 0
    labels = {line.split()[0] for line in started.out.splitlines() if "healthy after" in line}
    assert labels == {"web2-1", "web2-2"}

    names = [line.split()[0] for line in project.invoke("ps").out.splitlines()[1:]]
    assert names == ["db", "web2-1", "web2-2", "web10"]
    containers = {row["container"] for row in project.invoke("top", "web2", "--json").json()}
    assert containers == {f"{project.name}-web2-{number}" for number in (1, 2)}

    found = project.invoke("logs", "web2", "--grep", "^x", "--tail", "3").out.splitlines()
    assert sorted({line.split("| ")[1] for line in found}) == ["x3", "x4", "x5"]
    opened = project.invoke("open", "db")
    assert opened.code == 1
    assert "`db` has no page for a browser" in opened.err

    project.container("web10").exec_run(["true"])
    quiet = project.invoke("events", "--since", "5m", "--until", "0s").out
    every = project.invoke("events", "--since", "5m", "--until", "0s", "--all").out
    assert "web2  container exec_" not in quiet
    assert "web2   container exec_" not in quiet
    assert any("web10" in line and "exec_create: true" in line for line in quiet.splitlines())
    assert any("web2 " in line and "exec_create: true" in line for line in every.splitlines())


def test_a_failed_up_says_what_still_runs(new_project: Callable[..., Project]) -> None:
    project = new_project(
        """
        services:
          web: {image: IMAGE, init: true, command: [sleep, "600"]}
          bad: {image: IMAGE, command: [sh, -c, "exit 3"], depends_on: [web]}
        """
    )
    failed = project.invoke("up", "-d")
    assert failed.code == 1
    assert "still running: web; stop them with `invoke stop`" in failed.err
    project.write("compose.yaml", "services:\n  web: [\n")
    down = project.invoke("down")
    assert down.code == 0
    assert project.containers() == []


def test_a_list_of_files_that_cannot_be_read_says_so(new_project: Callable[..., Project]) -> None:
    project = new_project("services: {web: {image: IMAGE}}")
    project.write("compose.yaml", "services:\n  web: [\n")
    listed = project.invoke("ps")
    assert listed.code == 0
    assert "warning: invalid YAML" in listed.err
    assert "compose.yaml:3:1); the stacks of all names: `invoke stacks`" in listed.err
