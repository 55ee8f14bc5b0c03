"""Which bind mounts a remote engine's host may lack, and what is said of them."""

from __future__ import annotations

from pathlib import Path

from invoke_devstack.definition import load
from invoke_devstack.running.stack.remote_binds import binds_to_check, describe

FILE = """
services:
  web:
    image: x
    volumes: [./src:/app, ./conf:/conf, data:/data]
    develop:
      watch: [{path: ./src, target: /app, action: sync, initial_sync: true}]
volumes: {data: {}}
"""


def test_a_mount_that_the_watch_fills_is_left_out(tmp_path: Path) -> None:
    (tmp_path / "compose.yaml").write_text(FILE)
    definition = load(tmp_path, environment={}, project_name="p")
    (bind,) = binds_to_check(definition, "web")
    assert bind.source == str(tmp_path / "conf")
    said = describe(definition, bind, "devbox", certain=True)
    assert said == (
        f"web mounts {tmp_path}/conf (compose.yaml:5), which is not on devbox, so the container gets an "
        "empty directory. Sync it instead: develop: {watch: [{path: ./conf, target: /conf, action: sync, "
        "initial_sync: true}]}"
    )
    assert "may not be on devbox" in describe(definition, bind, "devbox", certain=False)


def test_a_service_without_mounts_has_none(tmp_path: Path) -> None:
    (tmp_path / "compose.yaml").write_text("services:\n  a: {image: x}\n")
    assert list(binds_to_check(load(tmp_path, environment={}, project_name="p"), "a")) == []
