"""SIGKILL of `up`, `down` and `watch`, at moments spread over their run."""

from __future__ import annotations

import signal
import time

from tests.faults.lab import Lab
from tests.faults.project import Project, eventually

STACK = """
services:
  db:
    image: IMAGE
    init: true
    command: [sh, -c, "sleep 0.2; touch /tmp/ok; exec sleep 1000"]
    volumes: ["data:/data"]
    healthcheck: {test: "test -f /tmp/ok", interval: 1s}
  job: {image: IMAGE, command: "true", depends_on: {db: {condition: service_healthy}}}
  web:
    build: ./web
    init: true
    environment: {ROUND: "${ROUND:-0}"}
    ports: ["8000:80"]
    depends_on:
      db: {condition: service_healthy}
      job: {condition: service_completed_successfully}
    develop:
      watch:
        - {action: sync, path: ./web/src, target: /src}
        - {action: rebuild, path: ./web/needs}
volumes: {data: {}}
"""
DOCKERFILE = """
FROM IMAGE
COPY needs /needs
COPY src /src
CMD ["httpd", "-f", "-p", "80", "-h", "/src"]
"""
WORKING = {"db-1": "running", "job-1": "exited", "web-1": "running"}


class Stack:
    """A stack with a database of numbered rows, of which the harness notes what was acknowledged."""

    def __init__(self, lab: Lab) -> None:
        self.tally = lab.tally
        self.before = lab.engine.inventory()
        self.project = lab.project(STACK)
        self.acknowledged = 0
        for path, text in (("web/Dockerfile", DOCKERFILE), ("web/needs", "0"), ("web/src/page", "0")):
            self.project.write(path, text)

    def comes_up(self) -> None:
        """`up` succeeds, all services run as they should, and every row is there."""
        self.tally.ended(self.project.invoke("up"))
        states = self.project.states()
        self.tally.check(states == WORKING, f"after `up` there is {states}")
        code, page = self.project.run_in("web", "wget -qO- http://127.0.0.1/page")
        self.tally.check(code == 0, f"the page does not answer: {page}")
        self._count_rows()
        code, _ = self.project.run_in("db", f"echo {self.acknowledged + 1} >> /data/rows && sync")
        self.acknowledged += code == 0

    def _count_rows(self) -> None:
        if self.acknowledged:
            found = self.project.run_in("db", "cat /data/rows")[1].split()
            missing = set(map(str, range(1, self.acknowledged + 1))) - set(found)
            self.tally.lost += len(missing)
            self.tally.check(not missing, f"lost rows {sorted(missing)}")

    def goes_down(self) -> None:
        """`down` succeeds and leaves nothing but the volume and the built image."""
        self.tally.ended(self.project.invoke("down"))
        after = self.project.engine.inventory()
        after["volumes"].discard("app_data")
        # A classic build that is cut off leaves its last layer, without a name and without labels that say
        # whose it is: `docker build` does the same, and `docker image prune` removes it.
        after["images"].discard("<none>:<none>")
        after["images"].discard("app-web:latest")
        self.tally.nothing_beyond(self.before, after)

    def is_killed(self, word: str, after: float) -> None:
        running = self.project.start(word)
        time.sleep(after)
        running.send(signal.SIGKILL)
        running.end()


def up(lab: Lab) -> None:
    """In one round from nothing, in the next from a running stack that changed."""
    stack = Stack(lab)
    stack.comes_up()
    began = time.monotonic()
    stack.goes_down()
    stack.comes_up()
    usual = time.monotonic() - began
    stack.goes_down()
    for number, moment in enumerate(lab.moments(usual)):
        lab.tally.rounds += 1
        stack.project.variables["ROUND"] = str(number)
        stack.project.write("web/needs", str(number))
        stack.is_killed("up", moment)
        stack.comes_up()
        if number % 2:
            stack.goes_down()
    stack.goes_down()


def down(lab: Lab) -> None:
    """After it either `down` again, or `up`."""
    stack = Stack(lab)
    stack.comes_up()
    began = time.monotonic()
    stack.goes_down()
    usual = time.monotonic() - began
    for number, moment in enumerate(lab.moments(usual)):
        lab.tally.rounds += 1
        stack.comes_up()
        stack.is_killed("down", moment)
        if number % 2:
            stack.goes_down()
    stack.comes_up()
    stack.goes_down()


def watch(lab: Lab) -> None:
    """While files are saved that are synced, and files that rebuild."""
    stack = Stack(lab)
    stack.comes_up()
    for number, moment in enumerate(lab.moments(4.0)):
        lab.tally.rounds += 1
        running = stack.project.start("watch")
        until = time.monotonic() + moment
        _save_until(until, stack.project, number)
        running.send(signal.SIGKILL)
        running.end()
        stack.comes_up()
        _is_caught_up(lab, stack.project, number)
    _prunes_earlier_builds(lab, stack)
    stack.goes_down()


def _prunes_earlier_builds(lab: Lab, stack: Stack) -> None:
    """A watch that is killed between a build and what comes of it leaves the image of before, without a
    name, as `up --build` does: `images.prune` knows and removes it. A build that was under way when its
    client was killed may end only now and take the name of the image that a container uses: `up` gives
    that container the new one first."""
    ours = {"dangling": True, "label": f"com.docker.compose.project={stack.project.name}"}

    def none_left() -> bool:
        stack.comes_up()
        ended = lab.tally.ended(stack.project.invoke("images.prune", "--yes"))
        lab.tally.notes.append(f"`images.prune` at the end: {ended.tail}")
        return not lab.engine.client.api.images(filters=ours)

    lab.tally.check(eventually(none_left, 30), "`images.prune` leaves an earlier build")


def _save_until(until: float, project: Project, number: int) -> None:
    saves = 0
    while (left := until - time.monotonic()) > 0:
        time.sleep(min(left, 0.4))
        saves += 1
        project.write("web/src/page", f"{number} {saves}")
        if saves % 4 == 2:
            project.write("web/needs", f"{number} {saves}")


def _is_caught_up(lab: Lab, project: Project, number: int) -> None:
    wanted = project.write("web/src/page", f"{number} at last").read_text()
    running = project.start("watch")
    arrived = eventually(lambda: project.run_in("web", "cat /src/page")[1] == wanted, 30)
    lab.tally.check(arrived, "a saved file did not arrive after the watch was killed")
    running.send(signal.SIGINT)
    lab.tally.ended(running.end(), code=130)
