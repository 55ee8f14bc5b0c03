"""The engine's disk is full; the registry dies, or its name is unknown."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial

from tests.engine.registry import Registry
from tests.faults.data import images_there
from tests.faults.engine import BUSYBOX
from tests.faults.lab import Lab
from tests.faults.project import Project, eventually

_SIZE = 24 << 20  # bytes that do not fit
_ROOM = 6 << 20  # bytes that are free on a disk that is about to be full
SAYS = r"no space left|disk is full|no space"

ONE = """
services:
  web: {image: IMAGE, init: true, command: sleep 1000, volumes: ["data:/data"]}
volumes: {data: {}}
"""
SERVER = """
services:
  db:
    image: redis:8
    command: redis-server --appendonly yes --appendfsync always
    volumes: ["data:/data"]
    healthcheck: {test: "redis-cli ping | grep -q PONG", interval: 1s}
volumes: {data: {}}
"""
BUILT = "services:\n  web: {build: ./web, init: true}\n"
SYNCED = """
services:
  web:
    image: IMAGE
    init: true
    command: sleep 1000
    develop: {watch: [{action: sync, path: ./src, target: /src}]}
"""


@contextmanager
def full(lab: Lab) -> Iterator[None]:
    lab.engine.leave_free(_ROOM)
    try:
        yield
    finally:
        lab.engine.resize("4g")


@contextmanager
def pushed(lab: Lab, name: str) -> Iterator[tuple[Registry, str]]:
    """An image with a large layer, in a registry and no more on the engine."""
    registry = Registry()
    image = f"{registry.host}/faults/{name}:1"
    folder = lab.folder / "image"
    folder.mkdir(exist_ok=True)
    (folder / "large").write_bytes(os.urandom(_SIZE))
    (folder / "Dockerfile").write_text(f'FROM {BUSYBOX}\nCOPY large /large\nCMD ["sleep", "1000"]\n')
    docker = ["docker", "-H", lab.engine.url]
    environment = {**os.environ, "DOCKER_BUILDKIT": "0"}
    for words in (("build", "-t", image, str(folder)), ("push", image), ("rmi", image)):
        subprocess.run([*docker, *words], env=environment, check=True, capture_output=True)
    try:
        yield registry, image
    finally:
        registry.shutdown()
        registry.server_close()


def _twice(lab: Lab, project: Project, *words: str, recover: Callable[[], None] = lambda: None) -> None:
    """On the full disk the command fails plainly; once there is room it succeeds."""
    with full(lab):
        ended = lab.tally.ended(project.invoke(*words), code=1, says=SAYS)
        lab.tally.check("hint: " in ended.text, f"no hint: {ended.tail}")
    recover()
    lab.tally.ended(project.invoke(*words))


def during_pull(lab: Lab) -> None:
    for number in lab.each_round():
        lab.tally.rounds += 1
        with pushed(lab, f"pull{number}") as (_, image):
            project = lab.project(f"services:\n  web: {{image: '{image}', init: true}}\n")
            _twice(lab, project, "up")
            lab.tally.ended(project.invoke("down"))
            lab.engine.client.api.remove_image(image, force=True)


def during_build(lab: Lab) -> None:
    project = lab.project(BUILT)
    for number in lab.each_round():
        lab.tally.rounds += 1
        step = f"dd if=/dev/zero of=/large bs=1M count=24 && echo {number}"
        project.write("web/Dockerfile", f'FROM IMAGE\nRUN {step}\nCMD ["sleep", "1000"]\n')
        _twice(lab, project, "up", "--build")
        lab.tally.ended(project.invoke("down"))


def during_sync(lab: Lab) -> None:
    """The watch says so and goes on; what did not fit arrives when there is room."""
    project = lab.project(SYNCED)
    project.write("src/page", "0")
    lab.tally.ended(project.invoke("up"))
    running = project.start("watch")
    lab.tally.check(running.says("watching", 20), f"no watch: {running.text[-300:]}")
    for number in lab.each_round():
        lab.tally.rounds += 1
        with full(lab):
            (project.folder / "src" / f"large{number}").write_bytes(os.urandom(_SIZE))
            told = eventually(lambda: "no space" in running.text or "is full" in running.text, 20)
            lab.tally.check(told, f"nothing is said of the full disk: {running.text[-300:]}")
        project.write("src/page", f"{number + 1}")
        arrived = eventually(partial(_has_all, project, number), 30)
        lab.tally.lost += not arrived
        lab.tally.check(arrived, f"what did not fit never arrived: {running.text[-400:]}")
    running.send(signal.SIGINT)
    lab.tally.ended(running.end(), code=130)
    lab.tally.ended(project.invoke("down"))


def _has_all(project: Project, number: int) -> bool:
    script = f"stat -c %s /src/large{number}; cat /src/page"
    return project.run_in("web", script)[1].split() == [str(_SIZE), str(number + 1)]


def during_snapshot(lab: Lab) -> None:
    """No half of a snapshot is left; the service runs again, and its data are as they were."""
    project = lab.project(ONE)
    lab.tally.ended(project.invoke("up"))
    project.run_in("web", "head -c 24000000 /dev/urandom > /data/large")
    digest = project.run_in("web", "md5sum /data/large")[1]
    before = lab.engine.inventory()
    for number in lab.each_round():
        lab.tally.rounds += 1
        with full(lab):
            ended = lab.tally.ended(
                project.invoke("snapshot", "web", "--name", f"s{number}"), code=1, says=SAYS
            )
            lab.tally.check("hint: " in ended.text, f"no hint: {ended.tail}")
        lab.tally.nothing_beyond(before, lab.engine.inventory())
        lab.tally.check(project.states() == {"web-1": "running"}, f"the service is {project.states()}")
        listed = json.loads(project.invoke("snapshots", "--json").text or "[]")
        lab.tally.check(listed == [], f"half a snapshot is listed: {listed}")
        kept = project.run_in("web", "md5sum /data/large")[1] == digest
        lab.tally.lost += not kept
        lab.tally.check(kept, "the data are not as they were")
    lab.tally.ended(project.invoke("snapshot", "web", "--name", "whole"))
    lab.tally.ended(project.invoke("restore", "web", "--name", "whole", "--yes"))
    lab.tally.check(project.run_in("web", "md5sum /data/large")[1] == digest, "the snapshot is not whole")
    lab.tally.ended(project.invoke("snapshots.rm", "whole", "--yes"))
    lab.tally.ended(project.invoke("down", "--volumes", "--yes"))


def ends_a_server(lab: Lab) -> None:
    """A Redis ends on the full disk, and the engine's list says later that it runs: `up` starts it again, and
    says so of none that has ended."""
    if not images_there(lab):
        return
    project = lab.project(SERVER)
    lab.tally.ended(project.invoke("up"))
    for number in lab.each_round():
        lab.tally.rounds += 1
        text = project.run_in("db", f"redis-cli set before{number} 1")[1]
        lab.tally.check(text.strip() == "OK", f"it does not take writes: {text}")
        lab.engine.leave_free(lab.chance.choice((0, 4096, 16384, 65536)))
        fill = "for k in $(seq 400); do redis-cli set k$k $(head -c 999 /dev/zero | tr '\\0' x); done"
        project.run_in("db", fill)
        if number % 2:
            lab.tally.ended(project.invoke("up"), code=None)
        lab.engine.resize("4g")
        lab.tally.ended(project.invoke("up"))
        lab.tally.ended(project.invoke("is-ready"))
        kept = project.run_in("db", f"redis-cli get before{number}")[1].strip() == "1"
        lab.tally.lost += not kept
        lab.tally.check(kept, "what it acknowledged is not there")
    lab.tally.ended(project.invoke("down", "--volumes", "--yes"))


def registry_dies(lab: Lab) -> None:
    """In the middle of a layer, for good: an error that names the image; later it succeeds."""
    for number in lab.each_round():
        lab.tally.rounds += 1
        with pushed(lab, f"dies{number}") as (registry, image):
            project = lab.project(f"services:\n  web: {{image: '{image}', init: true}}\n")
            manifest = json.loads(next(content for _, content in registry.manifests.values()))
            large = max(manifest["layers"], key=lambda layer: layer["size"])["digest"]
            registry.faults[large] = [(0, "")] * 200
            ended = lab.tally.ended(project.invoke("up", seconds=150), code=1, says=image)
            lab.tally.check("hint: " in ended.text, f"no hint: {ended.tail}")
            lab.tally.notes.append(f"given up after {ended.seconds:.0f} s")
            registry.faults.clear()
            lab.tally.ended(project.invoke("up"))
            lab.tally.ended(project.invoke("down"))
            lab.engine.client.api.remove_image(image, force=True)


def name_is_unknown(lab: Lab) -> None:
    project = lab.project("services:\n  web: {image: 'registry.invalid/some/image:1'}\n")
    for _ in lab.each_round():
        lab.tally.rounds += 1
        ended = lab.tally.ended(project.invoke("up"), code=1, says=r"registry\.invalid")
        lab.tally.check("hint: " in ended.text, f"no hint: {ended.tail}")
        lab.tally.check(ended.seconds < 60, f"it took {ended.seconds:.0f} s")
        time.sleep(0.1)
