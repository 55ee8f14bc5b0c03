"""What belongs to others stays as it is, however much it looks like ours."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from tests.faults.engine import BUSYBOX, OwnEngine
from tests.faults.lab import Lab
from tests.faults.project import Project, eventually

LOOK_ALIKES = (
    *("app-2", "app2", "app_db", "app-web", "app_web", "app-app", "ap", "a"),
    *("appp", "my-app"),
    *(
        "my_app",
        "app_default",
        "app-data",
        "app_data",
        "app--x",
        "app1",
        "app-web-1",
        "app-old",
        "xapp",
        "apps",
    ),
)
STACK = """
services:
  db: {image: IMAGE, init: true, command: sleep 1000, volumes: ["data:/data"]}
  web: {build: ./web, init: true, command: sleep 1000}
volumes: {data: {}}
"""
PROJECT, SERVICE = "com.docker.compose.project", "com.docker.compose.service"


def are_left_alone(lab: Lab) -> None:
    """20 projects with look-alike names, and things without a label: as they were after everything."""
    _make_strangers(lab.engine)
    before = _all(lab.engine)
    project = lab.project(STACK)
    project.write("web/Dockerfile", "FROM IMAGE\n")
    for _ in lab.each_round():
        lab.tally.rounds += 1
        lab.tally.ended(project.invoke("up"))
        for refused in (("down", "--volumes"), ("reset",), ("rm",), ("images.rm",), ("images.prune",)):
            _refuses(lab, project, *refused)
        for harmless in (("reset", "--yes"), ("kill",), ("rm", "--yes"), ("up",), ("restart",), ("stop",)):
            lab.tally.ended(project.invoke(*harmless))
        project.write("web/Dockerfile", f"FROM IMAGE\nENV round={lab.tally.rounds}\n")
        for words in (
            ("up", "--build"),
            ("images.prune", "--yes"),
            ("down", "--volumes", "--yes"),
            ("images.rm", "-s", "web", "--yes"),
        ):
            lab.tally.ended(project.invoke(*words))
        after = _all(lab.engine)
        gone = [name for name, state in before.items() if after.get(name) != state]
        lab.tally.lost += len(gone)
        lab.tally.check(not gone, f"changed or gone: {gone}")


def _refuses(lab: Lab, project: Project, *words: str) -> None:
    """Without a terminal and without --yes, what loses data is refused, and names what would be lost."""
    before = _all(lab.engine)
    ended = lab.tally.ended(project.invoke(*words), code=None)
    lab.tally.check(_all(lab.engine) == before, f"`{' '.join(words)}` changed something without consent")
    if "nothing to" in ended.text:
        return
    lab.tally.check(ended.code in (1, 2), f"not refused: {ended.tail}")
    named = any(name in ended.text for name in ("app_data", "data of db", "app-web", "earlier build"))
    lab.tally.check(named, f"`{' '.join(words)}` does not name what would be lost: {ended.tail}")


def _make_strangers(engine: OwnEngine) -> None:
    for name in LOOK_ALIKES:
        labels = {PROJECT: name, SERVICE: "web"}
        _make(engine, f"{name}-web-1" if name != "app" else name, f"{name}_default", f"{name}_data", labels)
    _make(engine, "app-web-2x", "app_other", "app_data2", {})
    _make(engine, "app_web_1", "app_web", "app-data", {})
    volumes = [item["Name"] for item in engine.client.api.volumes()["Volumes"]]
    eventually(lambda: all(_content(engine, name) for name in volumes), 20)


def _make(engine: OwnEngine, container: str, network: str, volume: str, labels: Mapping[str, str]) -> None:
    api = engine.client.api
    api.create_network(network, labels=dict(labels))
    api.create_volume(volume, labels=dict(labels))
    host = api.create_host_config(binds=[f"{volume}:/data"], network_mode=network)
    command = ["sh", "-c", "echo kept > /data/kept; exec sleep 100000"]
    made = api.create_container(BUSYBOX, command, name=container, host_config=host, labels=dict(labels))
    api.start(made["Id"])


def _all(engine: OwnEngine) -> dict[str, Any]:
    """Every container, network and volume -> what would tell that somebody touched it."""
    api = engine.client.api
    containers = {
        f"container {item['Names'][0]}": (item["Id"], item["State"], item["Labels"])
        for item in api.containers(all=True)
    }
    networks = {f"network {item['Name']}": item["Id"] for item in api.networks()}
    found = api.volumes()["Volumes"] or []
    volumes = {f"volume {item['Name']}": _content(engine, item["Name"]) for item in found}
    return {**containers, **networks, **volumes}


def _content(engine: OwnEngine, volume: str) -> tuple[str, ...]:
    folder = engine.data / "volumes" / volume / "_data"
    return tuple(sorted(f"{item.name} {item.stat().st_size}" for item in folder.iterdir()))
