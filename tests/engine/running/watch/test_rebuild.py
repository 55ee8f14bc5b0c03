"""Rebuilds and restarts of a watch: the old container goes on until the new one is there."""

from __future__ import annotations

import re
import threading
import time
import uuid
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path

import pytest

from invoke_devstack.engine.docker_engine import DockerEngine
from invoke_devstack.errors import NotFoundError
from invoke_devstack.events import (
    ActionFinished,
    ActionProgress,
    ActionStarted,
    LogBlock,
    Notice,
    Rebuilt,
    Synced,
    WatchFailed,
)
from invoke_devstack.running.logs.follow import Follower
from invoke_devstack.running.logs.show import Output
from invoke_devstack.running.options import LogOptions
from tests.engine.running.watch.watch_stack import WatchedStack

DOCKERFILE = 'FROM {busybox}\nCOPY . /app\nCMD ["sh", "-c", "{command}"]\n'
Make = Callable[..., WatchedStack]


@pytest.fixture
def make(engine: DockerEngine, busybox: str, project: str, tmp_path: Path) -> Iterator[Make]:
    """Writes a service `web` that is built from `web/`, and a service `db` that is not."""
    made: list[WatchedStack] = []

    def make_stack(
        rules: str = "", *, service: str = "", command: str = "sleep 1000", more: str = ""
    ) -> WatchedStack:
        (tmp_path / "web").mkdir()
        (tmp_path / "web" / "Dockerfile").write_text(DOCKERFILE.format(busybox=busybox, command=command))
        (tmp_path / "web" / "deps.txt").write_text("1")
        develop = f"    develop:\n      watch:\n{rules}" if rules else ""
        (tmp_path / "compose.yaml").write_text(
            f"name: {project}\nservices:\n"
            f"  web:\n    build: ./web\n    init: true\n    stop_grace_period: 1s\n{service}{develop}"
            f"  db:\n    image: {busybox}\n    init: true\n    command: [sleep, '1000']\n{more}"
        )
        stack = WatchedStack(engine, tmp_path)
        made.append(stack)
        stack.up()
        return stack

    yield make_stack
    for stack in made:
        stack.stop()
        for body in engine.list_containers({"label": [f"com.docker.compose.project={project}"]}):
            engine.remove_container(body["Id"], force=True)
        engine.remove_image(f"{project}-web", force=True)


def id_of(stack: WatchedStack, service: str = "web") -> str:
    """Its id; waits while its successor has not got the name yet."""
    ids: list[str] = []

    def found() -> bool:
        ids.extend(find_id(stack, service))
        return bool(ids)

    stack.await_(found, f"a container of {service}")
    return ids[0]


def find_id(stack: WatchedStack, service: str) -> list[str]:
    try:
        return [str(stack.engine.inspect_container(stack.container(service))["Id"])]
    except NotFoundError:
        return []


def has_restarted(stack: WatchedStack, count: int) -> bool:
    return restarts(stack) >= count


def restarts(stack: WatchedStack) -> int:
    return sum(event.action == "restart" for event in stack.of(ActionFinished))


def test_a_service_without_rules_is_rebuilt_when_its_build_context_changes(make: Make) -> None:
    stack = make()
    stack.write("web/.dockerignore", "*.log\n!keep.log\nDockerfile\n")
    stack.watch(settle=False)
    stack.await_event(Rebuilt)  # the ignore file came after the image: what `up` built is out of date
    before, database = id_of(stack), id_of(stack, "db")
    stack.forget()
    stack.write("web/debug.log")
    assert stack.quiet() == ([], [], [])
    stack.write("web/keep.log", "kept")
    assert stack.await_event(Rebuilt).paths == ("web/keep.log",)
    assert stack.has("/app/keep.log", "kept")
    assert id_of(stack) != before
    assert id_of(stack, "db") == database


def test_the_image_that_was_superseded_is_removed(make: Make) -> None:
    stack = make()
    stack.watch()
    old = str(stack.engine.inspect_container(stack.container())["Image"])
    stack.write("web/deps.txt", "2")
    stack.await_event(Rebuilt)
    assert stack.engine.find_image(old) is None


def test_a_superseded_image_that_somebody_named_stays(make: Make) -> None:
    stack = make()
    stack.watch()
    old = str(stack.engine.inspect_container(stack.container())["Image"])
    name = f"devstack-test/kept-{stack.session.project}:1"
    stack.engine.tag_image(old, name)
    try:
        stack.write("web/deps.txt", "2")
        stack.await_event(Rebuilt)
        assert stack.engine.find_image(name) is not None
    finally:
        stack.engine.remove_image(name)


def test_a_failed_build_shows_its_step_and_leaves_the_old_container(make: Make, busybox: str) -> None:
    stack = make()
    stack.watch()
    before = id_of(stack)
    good = (stack.directory / "web/Dockerfile").read_text()
    stack.write("web/Dockerfile", f"{good}RUN echo it-broke-here && false\n")
    failure = stack.await_event(WatchFailed)
    assert "RUN echo it-broke-here" in failure.error + str(failure.details)
    assert failure.hint
    assert id_of(stack) == before
    assert stack.engine.inspect_container(before)["State"]["Running"]
    stack.write("web/Dockerfile", good + "ENV MENDED=1\n")
    stack.await_event(Rebuilt)
    assert id_of(stack) != before


def test_saves_during_a_build_become_one_next_build(make: Make, busybox: str) -> None:
    stack = make()
    stack.watch()
    stack.forget()
    dockerfile = DOCKERFILE.format(busybox=busybox, command="sleep 1000")
    stack.write("web/Dockerfile", dockerfile + f"RUN sleep 3 # {uuid.uuid4()}\n")
    # A save before the engine has the build context would be in this build already.
    stack.await_(lambda: any("sleep 3" in event.text for event in stack.of(ActionProgress)))
    for number in range(5):
        stack.write("web/deps.txt", f"during {number}")
        time.sleep(0.1)
    stack.await_event(Rebuilt, 2)
    stack.await_(lambda: stack.inside("cat", "/app/deps.txt") == "during 4")
    stack.quiet()
    builds = [event for event in stack.of(ActionStarted) if event.action == "build"]
    assert len(builds) == 2


def test_a_sync_goes_on_arriving_while_an_image_is_built(make: Make, busybox: str) -> None:
    rules = (
        "        - {path: ./web/Dockerfile, action: rebuild}\n"
        "        - {path: ./web/src, action: sync, target: /app/src}\n"
    )
    stack = make(rules)
    stack.watch()
    dockerfile = DOCKERFILE.format(busybox=busybox, command="sleep 1000")
    stack.write("web/Dockerfile", dockerfile + f"RUN sleep 8 # {uuid.uuid4()}\n")
    stack.await_event(ActionStarted)
    stack.write("web/src/a", "live")
    stack.await_(lambda: stack.has("/app/src/a", "live"))
    assert stack.of(Rebuilt) == []
    stack.await_event(Rebuilt)
    stack.await_(lambda: stack.has("/app/src/a", "live"), "the new container has it too")


def test_a_file_deleted_during_a_build_is_not_in_the_new_container(make: Make, busybox: str) -> None:
    rules = (
        "        - {path: ./web/Dockerfile, action: rebuild}\n"
        "        - {path: ./web/src, action: sync, target: /app/src}\n"
    )
    stack = make(rules)
    stack.write("web/src/doomed", "1")
    stack.watch()
    dockerfile = DOCKERFILE.format(busybox=busybox, command="sleep 1000")
    stack.write("web/Dockerfile", dockerfile + f"RUN [ -e /app/src/doomed ] && sleep 3 # {uuid.uuid4()}\n")
    stack.await_(lambda: any("sleep 3" in event.text for event in stack.of(ActionProgress)))
    (stack.directory / "web/src/doomed").unlink()
    stack.await_event(Rebuilt)
    stack.await_(lambda: stack.lacks("/app/src/doomed"))


def test_anonymous_volumes_are_renewed_and_named_ones_stay(make: Make, project: str) -> None:
    stack = make(
        service="    volumes: [/app/modules, data:/data]\n",
        more="volumes:\n  data: {}\n",
    )
    stack.inside("sh", "-c", "echo old > /app/modules/x; echo old > /data/x")
    stack.watch()
    stack.write("web/modules/fresh", "fresh")
    stack.await_event(Rebuilt)
    assert stack.inside("ls", "/app/modules") == "fresh\n"
    assert stack.has("/data/x", "old\n")


def test_dependents_are_restarted_only_where_the_definition_says_so(make: Make, busybox: str) -> None:
    def dependent(name: str, restart: str) -> str:
        return (
            f"  {name}:\n    image: {busybox}\n    init: true\n    command: [sleep, '1000']\n"
            f"    stop_grace_period: 1s\n"
            f"    depends_on:\n      web: {{condition: service_started, restart: {restart}}}\n"
        )

    stack = make(more=dependent("follows", "true") + dependent("stays", "false"))
    stack.watch()

    def started(service: str) -> str:
        return str(stack.engine.inspect_container(stack.container(service))["State"]["StartedAt"])

    follows, stays = started("follows"), started("stays")
    stack.write("web/deps.txt", "2")
    stack.await_event(Rebuilt)
    assert started("stays") == stays
    assert started("follows") != follows


def test_what_changed_while_nothing_watched_is_rebuilt_at_the_start(make: Make) -> None:
    stack = make()
    stack.watch()
    assert stack.of(Rebuilt) == []
    stack.stop()
    stack.write("web/deps.txt", "2")
    stack.watch(settle=False)
    stack.await_event(Rebuilt)
    assert stack.has("/app/deps.txt", "2")


def test_sync_and_restart_brings_the_file_first(make: Make) -> None:
    rules = "        - {path: ./web/conf, action: sync+restart, target: /app/conf}\n"
    stack = make(rules, command="cat /app/conf/c; echo; sleep 1000")
    stack.write("web/conf/c", "one")
    stack.watch()
    stack.await_(lambda: restarts(stack) == 1, "what was written before is caught up")
    stack.forget()
    before = id_of(stack)
    stack.write("web/conf/c", "two")
    stack.await_(lambda: restarts(stack) == 1)
    assert len(stack.of(Synced)) == 1
    assert id_of(stack) == before
    stack.await_(
        lambda: b"".join(block for _, block in stack.engine.logs(stack.container())).endswith(b"two\n")
    )


def test_each_line_appears_once_over_restarts_and_rebuilds(make: Make) -> None:
    rules = (
        "        - {path: ./web/deps.txt, action: rebuild}\n"
        "        - {path: ./web/conf, action: sync+restart, target: /app/conf}\n"
    )
    stack = make(rules, command="n=0; while :; do n=$((n+1)); echo $HOSTNAME $n; sleep 0.05; done")
    (stack.directory / "web/conf").mkdir()
    stack.watch()
    follower = Follower(stack.session, ("web",), Output(stack.session, LogOptions(follow=True)).stamped)
    thread = threading.Thread(target=follower.run, args=({},), daemon=True)
    thread.start()

    def shown() -> str:
        return b"".join(event.data for event in stack.of(LogBlock)).decode()

    for turn in range(3):
        stack.write("web/conf/c", str(turn))
        stack.await_(partial(has_restarted, stack, turn + 1))
    for turn in range(2):
        stack.write("web/deps.txt", f"again {turn}")
        stack.await_event(Rebuilt, turn + 1)
    stack.await_(lambda: len(re.findall("(?m) 1$", shown())) >= 6, "the last container")
    time.sleep(1)
    follower.stop()
    thread.join(60)
    assert_each_line_once(shown(), runs=6)


def assert_each_line_once(text: str, runs: int) -> None:
    """Each container counts from 1 at each start: no gap and no repetition within a run."""
    counted: dict[str, list[list[int]]] = {}
    for line in text.splitlines():
        found = re.fullmatch(r"([0-9a-f]{12}) (\d+)", line)
        assert found, line
        series = counted.setdefault(found[1], [])
        if found[2] == "1":
            series.append([])
        series[-1].append(int(found[2]))
    assert sum(len(series) for series in counted.values()) == runs
    for series in counted.values():
        for numbers in series:
            assert numbers == list(range(1, len(numbers) + 1))


def test_a_changed_definition_is_told_with_what_up_would_do(make: Make) -> None:
    stack = make()
    stack.watch()
    before = id_of(stack, "db")
    file = stack.directory / "compose.yaml"
    file.write_text(file.read_text().replace("[sleep, '1000']", "[sleep, '2000']"))
    text = stack.await_event(Notice).text
    assert "create" in text and "db" in text and "--apply-definitions" in text
    assert id_of(stack, "db") == before


def test_a_changed_definition_is_applied_on_demand_and_the_watch_goes_on(make: Make) -> None:
    stack = make()
    stack.watch(apply_definitions=True)
    before = id_of(stack, "db")
    file = stack.directory / "compose.yaml"
    file.write_text(file.read_text().replace("[sleep, '1000']", "[sleep, '2000']"))
    stack.await_(lambda: id_of(stack, "db") != before)
    time.sleep(2)
    stack.write("web/deps.txt", "after")
    stack.await_(lambda: stack.has("/app/deps.txt", "after"))


def test_a_broken_definition_is_told_and_the_watch_goes_on(make: Make) -> None:
    stack = make()
    stack.watch()
    file = stack.directory / "compose.yaml"
    good = file.read_text()
    file.write_text(good.replace("build: ./web", "build: [nonsense"))
    assert "compose.yaml" in stack.await_event(WatchFailed).error
    file.write_text(good)
    stack.await_(lambda: "the Compose files can be read again" in {item.text for item in stack.of(Notice)})
    stack.write("web/deps.txt", "after")
    stack.await_event(Rebuilt)
