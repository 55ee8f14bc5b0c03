"""The engine is stopped, killed and started again, or hangs, while commands run."""

from __future__ import annotations

import signal
import subprocess
import time
from collections.abc import Callable
from functools import partial

from tests.faults.lab import Lab
from tests.faults.project import Project, Running, eventually

SLOW = """
services:
  db:
    image: IMAGE
    init: true
    command: [sh, -c, "sleep 1; touch /tmp/ok; exec sleep 1000"]
    volumes: ["data:/data"]
    healthcheck: {test: "test -f /tmp/ok", interval: 1s}
  web:
    image: IMAGE
    command: [sh, -c, "trap 'sleep 1; exit 0' TERM; while :; do sleep 0.1; done"]
    depends_on: {db: {condition: service_healthy}}
volumes: {data: {}}
"""
COUNTING = """
services:
  a:
    image: IMAGE
    init: true
    restart: always
    command: [sh, -c, "i=0; while :; do i=$$((i+1)); echo $$(date +%s)-$$i; sleep 0.02; done"]
"""
SYNCED = """
services:
  web:
    image: IMAGE
    init: true
    restart: always
    command: sleep 100000
    develop: {watch: [{action: sync, path: ./src, target: /src}]}
"""
DEATHS = (signal.SIGTERM, signal.SIGKILL)


def goes_and_comes(lab: Lab, number: int, away: float = 1.5) -> None:
    lab.engine.stop(DEATHS[number % 2])
    time.sleep(away)
    lab.engine.start()


def _during(lab: Lab, word: str, prepare: Callable[[Project], object]) -> None:
    before = lab.engine.inventory()
    project = lab.project(SLOW)
    for number, moment in enumerate(lab.moments(3.0)):
        lab.tally.rounds += 1
        prepare(project)
        running = project.start(word)
        time.sleep(moment)
        goes_and_comes(lab, number)
        ended = lab.tally.ended(running.end(), code=None)
        if ended.code:
            lab.tally.check("error: " in ended.text, f"no clear error: {ended.tail}")
        lab.tally.ended(project.invoke("up"))
        lab.tally.check(set(project.states().values()) == {"running"}, f"{project.states()}")
        lab.tally.ended(project.invoke("down"))
        after = lab.engine.inventory()
        after["volumes"].discard("app_data")
        lab.tally.nothing_beyond(before, after)


def during_up(lab: Lab) -> None:
    _during(lab, "up", lambda project: None)


def during_down(lab: Lab) -> None:
    _during(lab, "down", lambda project: lab.tally.ended(project.invoke("up")))


def during_logs(lab: Lab) -> None:
    """What was followed is, in the end, what the engine has."""
    project = lab.project(COUNTING)
    lab.tally.ended(project.invoke("up"))
    running = project.start("logs", "--follow")
    lab.tally.check(running.says("-5\n"), "nothing is followed")
    for number in lab.each_round():
        lab.tally.rounds += 1
        time.sleep(1.0)
        goes_and_comes(lab, number)
        lab.tally.check(running.process.poll() is None, f"`logs --follow` ended: {running.text[-300:]}")
    lab.tally.check(eventually(lambda: _runs(project, "a-1"), 20), "the service did not come back")
    time.sleep(3.0)
    lab.tally.check("waiting for the engine" in running.text, "nothing is said of the engine that is away")
    project.invoke("stop")
    time.sleep(0.5)
    running.send(signal.SIGINT)
    shown = [line.partition(" ")[2].strip(" |") for line in running.end().text.splitlines()]
    shown = [line for line in shown if line.partition("-")[2].isdigit()]
    kept = subprocess.run(
        ["docker", "-H", lab.engine.url, "logs", "app-a-1"], capture_output=True, text=True, check=True
    ).stdout.splitlines()
    kept = [line for line in kept if line.partition("-")[2].isdigit()]
    lab.tally.lost += len(set(kept) - set(shown))
    lab.tally.check(shown == kept, f"followed {len(shown)} lines of {len(kept)}: {_difference(shown, kept)}")
    project.invoke("down")


def _runs(project: Project, name: str) -> bool:
    return project.states().get(name) == "running"


def _difference(shown: list[str], kept: list[str]) -> str:
    missing = [line for line in kept if line not in set(shown)][:5]
    twice = sorted({line for line in shown if shown.count(line) > 1})[:5] if len(shown) > len(kept) else []
    return f"missing {missing}, repeated {twice}"


def during_watch(lab: Lab) -> None:
    """A file that is saved afterwards arrives: in the same watch, or after a clear error in the next."""
    project = lab.project(SYNCED)
    project.write("src/page", "0")
    lab.tally.ended(project.invoke("up"))
    running = project.start("watch")
    for number in lab.each_round():
        lab.tally.rounds += 1
        lab.tally.check(running.says("watching", 20), f"no watch: {running.text[-300:]}")
        goes_and_comes(lab, number)
        lab.tally.check(eventually(lambda: _runs(project, "web-1"), 20), "the service did not come back")
        if running.process.poll() is not None:
            ended = lab.tally.ended(running.end(), code=None)
            lab.tally.check("error: " in ended.text, f"no clear error: {ended.tail}")
            running = project.start("watch")
        project.write("src/page", str(number + 1))
        arrived = eventually(partial(shows, project, str(number + 1)), 30)
        lab.tally.lost += not arrived
        lab.tally.check(arrived, f"the saved file did not arrive: {running.text[-400:]}")
    running.send(signal.SIGINT)
    lab.tally.ended(running.end(), code=130)
    project.invoke("down")


def shows(project: Project, text: str) -> bool:
    """Whether the service's page is this."""
    return _page(project) == text


def _page(project: Project) -> str:
    return project.run_in("web", "cat /src/page")[1]


def hangs(lab: Lab) -> None:
    """The engine is frozen during `up`, `ps` and `down`: said soon, and all goes on when it is thawed."""
    project = lab.project(SLOW)
    frozen_for = 30.0 if lab.thorough else 7.0
    for _ in lab.each_round():
        lab.tally.rounds += 1
        for word, after in (("up", lab.chance.uniform(0.6, 2.0)), ("ps", 0.0), ("down", 0.6)):
            if not lab.thorough and word != "up":
                lab.tally.ended(project.invoke(word))
                continue
            _frozen(lab, project, word, after, frozen_for)
        lab.tally.check(project.states() == {}, f"after `down` there is {project.states()}")


def _frozen(lab: Lab, project: Project, word: str, after: float, seconds: float) -> None:
    running: Running
    if after:
        running = project.start(word)
        time.sleep(after)
        lab.engine.freeze()
    else:
        lab.engine.freeze()
        running = project.start(word)
    began = time.monotonic()
    said = running.says("No answer from the engine", 6.9) or "has not answered" in running.text
    lab.tally.notes.append(f"`{word}`: said {time.monotonic() - began:.1f} s after the engine froze")
    lab.tally.check(said, f"`{word}` says nothing of an engine that hangs: {running.text[-300:]}")
    time.sleep(max(0.0, began + seconds - time.monotonic()))
    lab.engine.thaw()
    lab.tally.ended(running.end())
