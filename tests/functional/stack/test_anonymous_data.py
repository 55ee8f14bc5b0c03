"""What a service writes into an anonymous volume stays, whatever ends its container, until somebody asks for
its removal. The database is a real Redis without `volumes:`, so its data is in the image's VOLUME."""

from __future__ import annotations

import itertools
import re
from collections.abc import Callable, Iterator
from pathlib import Path

import docker
import pytest

from tests.functional.conftest import Ended, Project
from tests.functional.stack.killing_proxy import killing_proxy

pytestmark = pytest.mark.timeout(600)  # some are twenty commands long

REDIS = "redis:8"
STACK = """
services:
  db:
    image: redis:8
    command: redis-server --appendonly yes --appendfsync always
    environment: {ROUND: "${ROUND:-0}"}
    stop_grace_period: 5s
"""
SCALED = """
services:
  db:
    image: IMAGE
    init: true
    command: [sleep, "1000"]
    stop_grace_period: 1s
    environment: {ROUND: "${ROUND:-0}"}
    scale: ${SCALE:-1}
    volumes: [/data]
"""
CHANGES = 6
"""Requests of a recreate: create, stop, remove, rename, start; and one more, at which nothing is killed."""


class Redis:
    """A project with acknowledged writes."""

    def __init__(self, project: Project) -> None:
        self.project = project
        self.written = itertools.count(1)
        self.acknowledged = ""

    def up(self, *flags: str) -> None:
        ended = self.project.invoke("up", "--detach", *flags)
        assert ended.code == 0, ended.err

    def write(self) -> None:
        value = str(next(self.written))
        assert self._ask("set", "key", value) == "OK"
        self.acknowledged = value

    def is_whole(self) -> bool:
        return self._ask("get", "key") == self.acknowledged

    def _ask(self, *words: str) -> str:
        done = self.project.invoke("exec", "db", "--", "redis-cli", *words)
        assert done.code == 0, done.err
        return done.out.strip()

    def volume(self) -> str:
        (mount,) = self.project.container("db").attrs["Mounts"]
        return str(mount["Name"])

    def change(self) -> None:
        self.project.variables["ROUND"] = str(int(self.project.variables.get("ROUND", "0")) + 1)


@pytest.fixture
def redis(new_project: Callable[..., Project], client: docker.DockerClient) -> Redis:
    if not client.images.list(name=REDIS):
        pytest.skip(f"{REDIS} is not on this engine: `invoke setup` brings it")
    found = Redis(new_project(STACK))
    found.up()
    found.write()
    return found


def killed(project: Project, words: tuple[str, ...], *, at: int, before: bool = False) -> list[str]:
    """Runs `invoke` with these words and kills it at its `at`-th change. Returns the changes until then."""
    with killing_proxy(project.directory, at=at, before=before) as proxy:
        host = project.variables.get("DOCKER_HOST")
        project.variables["DOCKER_HOST"] = f"unix://{proxy.socket_path}"
        process = project.start(*words)
        proxy.client = process
        process.communicate(timeout=120)
        project.variables.pop("DOCKER_HOST")
        if host:
            project.variables["DOCKER_HOST"] = host
        return proxy.seen


@pytest.mark.parametrize(
    "commands",
    [
        [["down"]],
        [["rm", "--stop", "--yes"]],
        [["stop"], ["rm", "--yes"]],
        [["up", "--detach", "--force-recreate"]],
        [["up", "--detach", "--build"]],
        [["restart"]],
        [["kill"]],
    ],
    ids=lambda commands: " then ".join(" ".join(words) for words in commands),
)
def test_no_plain_command_loses_what_redis_acknowledged(redis: Redis, commands: list[list[str]]) -> None:
    volume = redis.volume()
    for words in commands:
        ended = redis.project.invoke(*words)
        assert ended.code == 0, ended.err
    redis.up()
    assert redis.is_whole()
    assert redis.volume() == volume


def test_ctrl_c_of_an_attached_up_and_its_next_start_keep_the_data(redis: Redis) -> None:
    redis.project.invoke("down")
    with redis.project.terminal("up") as child:
        child.expect("Ready to accept connections")
        child.sendintr()
        child.end()
    redis.up()
    assert redis.is_whole()


def test_an_orphan_that_is_removed_keeps_its_data_until_it_comes_back(redis: Redis) -> None:
    redis.project.compose("services:\n  other: {image: IMAGE, init: true, command: [sleep, '1000']}\n")
    redis.up("--remove-orphans")
    assert [item.labels["com.docker.compose.service"] for item in redis.project.containers()] == ["other"]
    redis.project.compose(STACK)
    redis.up("--remove-orphans")
    assert redis.is_whole()


def test_down_volumes_names_the_anonymous_volume_and_deletes_it(redis: Redis) -> None:
    refused = redis.project.invoke("down", "--volumes")
    assert (refused.code, "db-1:/data" in refused.err) == (2, True)
    assert redis.is_whole()
    volume = redis.volume()
    done = redis.project.invoke("down", "--volumes", "--yes")
    assert (done.code, "deleted: db-1:/data" in done.out) == (0, True), done.out
    assert volume not in volumes(redis.project)


def test_down_volumes_after_a_plain_down_deletes_it_too(redis: Redis) -> None:
    kept = redis.project.invoke("down")
    assert "kept: db-1:/data" in kept.out
    assert redis.project.invoke("down", "--volumes").code == 2
    assert redis.project.invoke("down", "--volumes", "--yes").code == 0
    assert redis.project.volumes() == []


def test_rm_volumes_names_them_and_asks(redis: Redis) -> None:
    refused = redis.project.invoke("rm", "--stop", "--volumes")
    assert (refused.code, "db-1:/data" in refused.err) == (2, True)
    assert redis.project.invoke("rm", "--stop", "--volumes", "--yes").code == 0
    assert redis.project.volumes() == []


@pytest.mark.parametrize("end", [["down"], ["rm", "--stop", "--yes"], ["up", "--detach", "--force-recreate"]])
def test_what_compose_created_is_kept_mounted_again_and_deleted_when_asked(
    redis: Redis, end: list[str]
) -> None:
    redis.project.invoke("down", "--volumes", "--yes")
    assert redis.project.docker("compose", "up", "--detach").code == 0
    redis.write()
    volume = redis.volume()
    for _ in range(2):
        assert redis.project.invoke(*end).code == 0
        redis.up()
        assert (redis.is_whole(), redis.volume()) == (True, volume)
    assert redis.project.invoke("down", "--volumes", "--yes").code == 0
    assert volume not in volumes(redis.project)
    assert redis.project.volumes() == []


def test_compose_takes_over_and_hands_back_without_a_recreate(redis: Redis) -> None:
    before = redis.project.container("db").id
    assert redis.project.docker("compose", "up", "--detach").code == 0
    assert redis.project.container("db").id == before
    assert redis.project.docker("compose", "up", "--detach", "--force-recreate").code == 0
    assert redis.is_whole()
    taken_over = redis.project.container("db").id
    redis.up()
    assert redis.project.container("db").id == taken_over
    redis.project.invoke("down")
    redis.up()
    assert redis.is_whole()


def test_data_of_compose_that_was_used_last_comes_back_first(redis: Redis) -> None:
    redis.project.invoke("down")
    assert redis.project.docker("compose", "up", "--detach").code == 0
    redis.write()
    redis.project.invoke("down")
    redis.up()
    assert redis.is_whole()


SETTLING = (
    ("up", "--detach"),
    ("up", "--detach", "--force-recreate"),
    ("down",),
    ("rm", "--stop", "--yes"),
)


@pytest.mark.parametrize("before", [True, False], ids=["request lost", "answer lost"])
@pytest.mark.parametrize("at", range(1, CHANGES))
def test_a_recreate_that_is_killed_at_any_request_and_again_while_settling_loses_nothing(
    redis: Redis, at: int, before: bool
) -> None:
    for turn, words in enumerate(SETTLING):
        redis.change()
        killed(redis.project, ("up", "--detach"), at=at, before=before)
        if turn % 2:
            redis.change()
        killed(redis.project, words, at=1 + (at + turn) % (CHANGES - 1), before=before)
        redis.up()
        assert redis.is_whole(), f"{words} after a kill at change {at}"
        redis.write()
    assert len(redis.project.containers()) == len(redis.project.volumes()) == 1


@pytest.mark.parametrize("at", range(1, 4))
def test_a_recreate_of_what_compose_created_may_be_killed_too(redis: Redis, at: int) -> None:
    """There are two more changes: the record is created first."""
    for first in (at, at + 3):
        redis.project.invoke("down", "--volumes", "--yes")
        assert redis.project.docker("compose", "up", "--detach").code == 0
        redis.write()
        redis.change()
        killed(redis.project, ("up", "--detach"), at=first)
        killed(redis.project, ("down",), at=at)
        redis.change()
        redis.up()
        assert redis.is_whole()


@pytest.fixture
def scaled(new_project: Callable[..., Project]) -> Project:
    project = new_project(SCALED)
    scale(project, 3)
    for number in range(1, 4):
        done = project.invoke("exec", f"db.{number}", "--", "sh", "-c", f"echo {number} > /data/n; sync")
        assert done.code == 0, done.err
    return project


def scale(project: Project, count: int) -> Ended:
    project.variables["SCALE"] = str(count)
    ended = project.invoke("up", "--detach")
    assert ended.code == 0, ended.err
    return ended


def numbers(project: Project) -> list[str]:
    """What each container has, by its number."""
    found = []
    for container in sorted(project.containers(), key=lambda item: str(item.name)):
        number = str(container.name).rpartition("-")[2]
        found.append(
            f"{number}: {project.invoke('exec', f'db.{number}', '--', 'cat', '/data/n').out.strip()}"
        )
    return found


WHOLE = ["1: 1", "2: 2", "3: 3"]


def test_each_number_has_its_own_data_after_scaling_down_and_up(scaled: Project) -> None:
    for count in (1, 3, 2, 3):
        scale(scaled, count)
    assert numbers(scaled) == WHOLE
    assert len(scaled.volumes()) == 3


@pytest.mark.parametrize("at", range(1, 7))
def test_a_scale_that_is_killed_at_any_request_loses_nothing(scaled: Project, at: int) -> None:
    for count, again in ((1, 3), (3, 1)):
        scaled.variables["SCALE"] = str(count)
        killed(scaled, ("up", "--detach"), at=at)
        scaled.variables["SCALE"] = str(again)
        scaled.variables["ROUND"] = str(at)
        killed(scaled, ("up", "--detach"), at=at)
    scale(scaled, 3)
    assert numbers(scaled) == WHOLE
    assert len(scaled.volumes()) == 3


@pytest.mark.timeout(1200)
def test_fifty_rounds_leave_no_volume(scaled: Project) -> None:
    before = volumes(scaled)
    for round_ in range(50):
        match round_ % 5:
            case 0:
                assert scaled.invoke("down").code == 0
            case 1:
                scaled.variables["ROUND"] = str(round_)
            case 2:
                scale(scaled, 1)
            case 3:
                assert scaled.invoke("rm", "--stop", "--yes").code == 0
            case 4:
                assert scaled.invoke("up", "--detach", "--force-recreate").code == 0
        scale(scaled, 3)
    assert numbers(scaled) == WHOLE
    assert len(scaled.volumes()) == 3
    assert volumes(scaled) & mine(scaled) == before & mine(scaled)
    assert scaled.invoke("down", "--volumes", "--yes").code == 0
    assert scaled.volumes() == []


def volumes(project: Project) -> set[str]:
    return {str(item.name) for item in project.client.volumes.list()}


def mine(project: Project) -> set[str]:
    return {str(item.name) for item in project.volumes()}


@pytest.fixture
def external(client: docker.DockerClient) -> Iterator[str]:
    """A volume of somebody else, whose name looks like an anonymous one's."""
    volume = client.volumes.create()
    assert re.fullmatch("[0-9a-f]{64}", str(volume.name))
    yield str(volume.name)
    volume.remove()


EXTERNAL = """
services:
  db:
    image: redis:8
    environment: {ROUND: "${ROUND:-0}"}
    volumes: ["data:/data"]
volumes: {data: {external: true, name: NAME}}
"""


@pytest.mark.parametrize("forgotten", ["", "volume", "service"])
def test_an_external_volume_stays_whatever_its_name(redis: Redis, external: str, forgotten: str) -> None:
    """Even if the files do not name it any more."""
    project = redis.project
    project.invoke("down", "--volumes", "--yes")
    project.compose(EXTERNAL.replace("NAME", external))
    redis.up()
    redis.write()
    redis.change()
    redis.up()
    assert redis.is_whole()
    other = "services:\n  other: {image: IMAGE, init: true, command: [sleep, '1000']}\n"
    if forgotten:
        project.compose(STACK if forgotten == "volume" else other)
    for words in (["down"], ["down", "--volumes", "--yes"]):
        assert project.invoke(*words).code == 0
    project.compose(EXTERNAL.replace("NAME", external))
    redis.up()
    assert redis.is_whole()
    if forgotten:
        project.compose(STACK if forgotten == "volume" else other)
    assert project.invoke("rm", "--stop", "--volumes", "--yes").code in (0, 2)
    assert project.invoke("up", "--detach", "--remove-orphans", "--force-recreate").code == 0
    assert project.invoke("down", "--volumes", "--yes").code == 0
    assert external in volumes(project)


def test_the_content_of_the_image_is_in_a_new_anonymous_volume(new_project: Callable[..., Project]) -> None:
    compose = "services:\n  web: {build: ., init: true, command: [sleep, '1000'], volumes: [/content]}\n"
    project = new_project(compose)
    _dockerfile(project, "one")
    assert project.invoke("up", "--detach").code == 0
    assert project.invoke("exec", "web", "--", "cat", "/content/x", "/declared/x").out.split() == ["one"] * 2


def _dockerfile(project: Project, text: str) -> Path:
    from tests.functional.conftest import BUSYBOX

    lines = (f"FROM {BUSYBOX}", f"RUN mkdir /content /declared; echo {text} | tee /content/x > /declared/x")
    return project.write("Dockerfile", "\n".join((*lines, "VOLUME /declared", "")))
