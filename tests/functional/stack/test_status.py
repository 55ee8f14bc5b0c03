"""`invoke status`: the whole stack on one screen."""

from __future__ import annotations

from collections.abc import Callable

from tests.functional.conftest import Project, find_free_port

STACK = """
    services:
      web:
        image: IMAGE
        init: true
        command: [sh, -c, "httpd -f -p 8080"]
        ports: ["PORT:8080"]
      job:
        image: IMAGE
        command: [sh, -c, "exit 3"]
"""


def test_the_stack_on_one_screen(new_project: Callable[..., Project]) -> None:
    port = find_free_port()
    project = new_project(STACK.replace("PORT", str(port)))
    project.variables["XDG_STATE_HOME"] = str(project.directory / "state")
    empty = project.invoke("status")
    assert empty.code == 0
    assert "· web  no container" in empty.out
    assert "last failure: none is known" in empty.out
    assert f"  create {project.name}-web-1" in empty.out

    assert project.invoke("up", "-d").code == 1
    shown = project.invoke("status").out
    assert f"✔ web  running   http://localhost:{port}" in shown
    assert "✘ job  exited 3" in shown
    assert "by `invoke up --detach`:\n  job exited with code 3" in shown
    assert max(map(len, shown.splitlines())) < 80

    data = project.invoke("status", "web", "--json").json()
    (web,) = data["services"]
    assert (web["state"], web["addresses"]) == ("running", [f"http://localhost:{port}"])
    assert data["up"] == {"steps": [], "error": "", "hint": ""}
    assert data["failure"] is None

    project.compose(
        STACK.replace("PORT", str(port)).replace("-f -p", "-p").replace('8080"]\n', '9090"]\n', 1)
    )
    causes = [step["cause"] for step in project.invoke("status", "web", "--json").json()["up"]["steps"]]
    assert any("command" in cause for cause in causes)
