"""Containers that fail by themselves, and things that somebody changes by hand."""

from __future__ import annotations

from collections.abc import Callable

from tests.faults.lab import Lab
from tests.faults.project import Project

CRASHING = """
services:
  db: {image: IMAGE, init: true, command: [sh, -c, "echo the last words; sleep 0.3; exit 3"]}
  web:
    image: IMAGE
    init: true
    command: [sh, -c, "sleep 2; touch /tmp/ok; exec sleep 1000"]
    depends_on: [db]
    healthcheck: {test: "test -f /tmp/ok"}
"""
HUNGRY = """
services:
  db:
    image: IMAGE
    mem_limit: 16m
    memswap_limit: 16m
    command: [sh, -c, "sleep 0.2; x=aaaaaaaaaaaaaaaa; while :; do x=$$x$$x; done"]
    healthcheck: {test: "false", interval: 1s, retries: 60}
"""
LOOPING = """
services:
  db:
    image: IMAGE
    restart: always
    command: [sh, -c, "echo cannot begin; exit 7"]
    healthcheck: {test: "false", interval: 1s, retries: 60}
"""
BUILT = """
services:
  web:
    build: ./web
    init: true
    volumes: ["data:/data"]
    networks: [inner]
volumes: {data: {}}
networks: {inner: {}}
"""
DOCKERFILE = 'FROM IMAGE\nRUN echo built > /built\nCMD ["sleep", "1000"]\n'


def crashes(lab: Lab) -> None:
    """A service that ends at once fails `up`, with its code and its last words."""
    _fails(lab, CRASHING, r"db exited with code 3(.|\n)*the last words")


def is_killed_for_memory(lab: Lab) -> None:
    _fails(lab, HUNGRY, r"out of memory and was killed by the kernel(.|\n)*16 MiB")


def restarts_in_a_loop(lab: Lab) -> None:
    _fails(lab, LOOPING, r"db keeps crashing.* with code 7(.|\n)*cannot begin")


def _fails(lab: Lab, compose: str, says: str) -> None:
    before = lab.engine.inventory()
    project = lab.project(compose)
    for _ in lab.each_round():
        lab.tally.rounds += 1
        ended = lab.tally.ended(project.invoke("up", "--wait-timeout", "40"), code=1, says=says)
        lab.tally.check(ended.seconds < 30, f"it took {ended.seconds:.0f} s to say so")
        lab.tally.check("hint: " in ended.text, f"no hint: {ended.tail}")
        lab.tally.ended(project.invoke("down"))
        lab.tally.nothing_beyond(before, lab.engine.inventory())


def by_hand(lab: Lab) -> None:
    """What somebody removed or changed is put right by the next `up`; nothing foreign goes with it."""
    before = lab.engine.inventory()
    project = lab.project(BUILT)
    project.write("web/Dockerfile", DOCKERFILE)
    for _ in lab.each_round():
        for change in CHANGES:
            lab.tally.rounds += 1
            lab.tally.ended(project.invoke("up"))
            change(project)
            ended = lab.tally.ended(project.invoke("up"))
            right = ended.code == 0 and project.states() == {"web-1": "running"} and _whole(project)
            lab.tally.check(right, f"after {change.__name__}: {project.states()}")
    lab.tally.ended(project.invoke("down", "--volumes", "--yes"))
    after = lab.engine.inventory()
    after["images"].discard("app-web:latest")
    lab.tally.nothing_beyond(before, after)


def _whole(project: Project) -> bool:
    """Whether the container is in its network, and has its volume."""
    code, _ = project.run_in("web", "touch /data/x && ip addr show eth0 | grep -q inet")
    found = project.containers()["web-1"]
    mounted = {item.get("Name") for item in found["Mounts"]}
    joined = set(found["NetworkSettings"]["Networks"])
    return code == 0 and mounted == {"app_data"} and joined == {"app_inner"}


def _container_removed(project: Project) -> None:
    project.engine.client.api.remove_container("app-web-1", force=True)


def _container_stopped(project: Project) -> None:
    project.engine.client.api.stop("app-web-1", timeout=1)


def _container_disconnected(project: Project) -> None:
    project.engine.client.api.disconnect_container_from_network("app-web-1", "app_inner")


def _network_removed(project: Project) -> None:
    _container_disconnected(project)
    project.engine.client.api.remove_network("app_inner")


def _network_replaced(project: Project) -> None:
    labels = {"com.docker.compose.project": "app", "com.docker.compose.network": "inner"}
    _network_removed(project)
    project.engine.client.api.create_network("app_inner", labels=labels, internal=True)


def _volume_removed(project: Project) -> None:
    _container_removed(project)
    project.engine.client.api.remove_volume("app_data")


def _volume_replaced(project: Project) -> None:
    _volume_removed(project)
    labels = {"com.docker.compose.project": "app", "com.docker.compose.volume": "data"}
    project.engine.client.api.create_volume("app_data", labels=labels)


def _image_removed(project: Project) -> None:
    _container_removed(project)
    project.engine.client.api.remove_image("app-web:latest", force=True)


def _image_removed_under_it(project: Project) -> None:
    project.engine.client.api.remove_image("app-web:latest", force=True)


CHANGES: tuple[Callable[[Project], None], ...] = (
    _container_removed,
    _container_stopped,
    _container_disconnected,
    _network_removed,
    _network_replaced,
    _volume_removed,
    _volume_replaced,
    _image_removed,
    _image_removed_under_it,
)
