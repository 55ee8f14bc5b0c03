"""`devstack.notify`: a notification for a rebuild that failed, by a `notify-send` of the test's own."""

from __future__ import annotations

import os
import time
from collections.abc import Callable

from tests.functional.conftest import BUSYBOX, Project


def test_a_rebuild_that_fails_is_a_notification(new_project: Callable[..., Project]) -> None:
    project = new_project(
        """
        services:
          web:
            build: .
            init: true
            command: [sleep, "600"]
            environment: {API_TOKEN: hunter2hunter2}
            develop: {watch: [{action: rebuild, path: ./app}]}
        """
    )
    project.write("Dockerfile", f"FROM {BUSYBOX}\nCOPY app /app\nRUN sh /app/check\n")
    project.write("app/check", "true\n")
    script = project.write("bin/notify-send", '#!/bin/sh\nfor word; do echo "$word"; done >>"$SEEN"\n')
    script.chmod(0o755)
    seen = project.directory / "seen"
    environment = {
        **project.environment,
        "PATH": f"{script.parent}{os.pathsep}{project.environment['PATH']}",
        "SEEN": str(seen),
        "INVOKE_DEVSTACK_NOTIFY": "auto",
    }
    project.variables.update({name: environment[name] for name in ("PATH", "SEEN", "INVOKE_DEVSTACK_NOTIFY")})
    up = project.start("up", "--attach")
    try:
        assert up.stderr is not None
        assert any("watching" in line for line in up.stderr)
        project.write("app/check", "echo hunter2hunter2; false\n")
        end = time.monotonic() + 60
        while not (seen.exists() and seen.read_text().count("\n") >= 5) and time.monotonic() < end:
            time.sleep(0.05)
    finally:
        up.terminate()
        up.communicate(timeout=60)
    words = seen.read_text().splitlines()
    assert words[:4] == ["--app-name", "invoke-devstack", "--", f"{project.name}: web"]
    assert words[4]
    assert "hunter2" not in seen.read_text()


def test_an_unknown_way_is_an_error(new_project: Callable[..., Project]) -> None:
    project = new_project("services: {web: {image: IMAGE, init: true, command: [sleep, '600']}}")
    project.variables["INVOKE_DEVSTACK_NOTIFY"] = "email"
    done = project.invoke("up", "--attach")
    assert done.code == 2
    assert "invalid setting `devstack.notify`: `email`" in done.err
    assert project.containers() == []
