"""`explain-failure` through the life of a failure: none, met by `up`, over, and a crash that nobody saw."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

from tests.functional.conftest import Project

STACK = """
    services:
      web:
        image: IMAGE
        init: true
        command: [sh, -c, "echo $$PASSWORD; echo no configuration; END"]
        environment: {PASSWORD: s3cr3tvalue}
"""


def explained(project: Project) -> dict[str, Any]:
    ended = project.invoke("explain-failure", "--json")
    assert ended.code == 0, ended.err
    found: dict[str, Any] = json.loads(ended.out)
    return found


def test_it_says_what_failed_last_until_the_same_has_succeeded(
    new_project: Callable[..., Project], tmp_path: Path
) -> None:
    project = new_project(
        STACK.replace("END", "exit 3"), variables={"XDG_STATE_HOME": str(tmp_path / "state")}
    )
    assert not explained(project)["failed"]

    assert project.invoke("up", "--detach").code == 1
    found = explained(project)
    assert found["failed"]
    assert (found["service"], found["reason"], found["command"]) == ("web", "service", "invoke up --detach")
    assert found["evidence"] == ["last log lines:", "  ***", "  no configuration"]
    assert found["next"] == "invoke logs -s web --tail 100"

    project.compose(STACK.replace("END", "exec sleep 600"))
    assert project.invoke("up", "--detach").code == 0
    found = explained(project)
    assert (found["failed"], found["over"], found["service"]) == (False, True, "web")

    project.container("web").kill()
    project.container("web").wait()
    found = explained(project)
    assert (found["failed"], found["over"], found["command"]) == (True, False, "")
    assert "137" in found["cause"]
