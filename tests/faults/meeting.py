"""Commands that meet: on one project, and on many."""

from __future__ import annotations

import time

from tests.faults.engine_gone import SLOW
from tests.faults.lab import Lab
from tests.faults.project import eventually

HELD = SLOW.replace("sleep 1; touch /tmp/ok; ", "").replace("interval: 1s", "interval: 1s, retries: 60")
"""Its `up` ends once somebody makes the file that the healthcheck of `db` looks for, within a minute."""


def two_ups(lab: Lab) -> None:
    before = lab.engine.inventory()
    project = lab.project(SLOW)
    for _ in lab.each_round():
        lab.tally.rounds += 1
        running = []
        for _ in range(2):
            running.append(project.start("up"))
            time.sleep(lab.chance.uniform(0.0, 0.8))
        for one in running:
            lab.tally.ended(one.end())
        lab.tally.check(project.states() == {"db-1": "running", "web-1": "running"}, f"{project.states()}")
        lab.tally.ended(project.invoke("down", "--volumes", "--yes"))
        lab.tally.nothing_beyond(before, lab.engine.inventory())


def down_during_up(lab: Lab) -> None:
    """`down` waits for the `up`, and says for whom; then it takes all down."""
    before = lab.engine.inventory()
    project = lab.project(HELD)
    for _ in lab.each_round():
        lab.tally.rounds += 1
        up = project.start("up")
        lab.tally.check(eventually(lambda: "running" in project.states().values(), 30), "`up` starts nothing")
        time.sleep(lab.chance.uniform(0.0, 0.5))
        down = project.start("down")
        lab.tally.check(down.says("Waiting for"), f"it does not say for whom it waits: {down.text[-300:]}")
        project.run_in("db", "touch /tmp/ok")
        lab.tally.ended(down.end())
        lab.tally.ended(up.end())
        lab.tally.ended(project.invoke("down", "--volumes", "--yes"))
        lab.tally.nothing_beyond(before, lab.engine.inventory())


def ten_projects(lab: Lab) -> None:
    before = lab.engine.inventory()
    projects = [lab.project(SLOW, f"app-{number}") for number in range(10)]
    for _ in lab.each_round():
        lab.tally.rounds += 1
        for words in (("up",), ("down", "--volumes", "--yes")):
            for running in [project.start(*words) for project in projects]:
                lab.tally.ended(running.end(150))
            wanted = 2 if words == ("up",) else 0
            for project in projects:
                found = project.states()
                lab.tally.check(len(found) == wanted, f"after `{words[0]}` of {project.name}: {found}")
        lab.tally.nothing_beyond(before, lab.engine.inventory())
