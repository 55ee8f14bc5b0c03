"""A restore that is stopped, and its settling too: the data is old or new, whole, or nothing runs on it."""

from __future__ import annotations

import signal
import time
from contextlib import suppress

from docker.errors import DockerException

from tests.faults.lab import Lab
from tests.faults.project import Ended, Project

_FILES = 200
# A database of two volumes: it starts whenever the engine lets it, and notes if they do not fit.
STACK = """
services:
  db:
    image: IMAGE
    init: true
    restart: always
    stop_grace_period: 1s
    command:
      - sh
      - -c
      - |
        test "$$(cat /a/* /b/* 2>/dev/null | sort -u | wc -l)" -le 1 || echo half > /a/half
        exec sleep 1000
    volumes: ["first:/a", "other:/b"]
volumes: {first: {}, other: {}}
"""
_FILL = """
rm -rf /a/* /b/*; i=0
while [ $i -lt COUNT ]; do echo WORD > /a/$i; echo WORD > /b/$i; i=$((i+1)); done
"""
_LOOK = "cat /a/* /b/* 2>/dev/null | sort | uniq -c; ls -A /a /b | grep devstack"


class Restored:
    def __init__(self, lab: Lab) -> None:
        self.lab = lab
        self.tally = lab.tally
        self.engine = lab.engine
        self.project: Project = lab.project(STACK)
        self.tally.ended(self.project.invoke("up"))
        self.fill("new")
        self.tally.ended(self.project.invoke("snapshot", "db", "--name", "new"))
        self.before = lab.engine.inventory()
        began = time.monotonic()
        self.tally.ended(self.restore())
        self.usual = time.monotonic() - began

    def fill(self, word: str) -> None:
        script = _FILL.replace("COUNT", str(_FILES)).replace("WORD", word)
        code, text = self.project.run_in("db", script)
        self.tally.check(code == 0, f"cannot fill: {text}")

    def restore(self) -> Ended:
        return self.project.invoke(*self.words)

    words = ("restore", "db", "--name", "new", "--yes")

    def is_whole(self) -> bool:
        found = self.project.run_in("db", _LOOK)[1].split()
        return found in ([str(2 * _FILES), "old"], [str(2 * _FILES), "new"])

    def is_running(self) -> bool:
        # On a full disk the engine's list is out of date.
        return bool(self.engine.client.api.inspect_container("app-db-1")["State"]["Running"])

    def comes_up(self) -> None:
        """`up` succeeds on whole data, and leaves nothing behind."""
        self.tally.ended(self.project.invoke("up"))
        if not self.is_whole():
            self.tally.lost += 1
            self.tally.wrong.append(f"half: {self.project.run_in('db', _LOOK)[1][:300]}")
        self.tally.nothing_beyond(self.before, self.engine.inventory())

    def end_copies(self) -> None:
        for item in self.engine.client.containers.list(filters={"label": "dev.invoke-devstack.helper"}):
            with suppress(DockerException):
                item.kill()

    def is_killed(self, words: tuple[str, ...], after: float) -> None:
        running = self.project.start(*words)
        time.sleep(after)
        running.send(signal.SIGKILL)
        running.end()


def killed(lab: Lab) -> None:
    """The restore gets SIGKILL, its container too, and so does the `up` that settles it."""
    stack = Restored(lab)
    for moment in lab.moments(stack.usual):
        lab.tally.rounds += 1
        stack.fill("old")
        stack.is_killed(stack.words, moment)
        if lab.chance.random() < 0.7:
            stack.end_copies()
        for _ in range(lab.chance.choice((0, 1, 1, 2))):
            stack.is_killed(("up",), lab.chance.uniform(0.3, 1.5))
            if lab.chance.random() < 0.3:
                stack.end_copies()
        stack.comes_up()


def shut_down(lab: Lab) -> None:
    """The machine shuts down: SIGTERM for the command, and a moment later for the engine."""
    stack = Restored(lab)
    for moment in lab.moments(stack.usual):
        lab.tally.rounds += 1
        stack.fill("old")
        running = stack.project.start(*stack.words)
        time.sleep(moment)
        running.send(signal.SIGTERM)
        time.sleep(lab.chance.uniform(0, 0.15))
        lab.engine.stop()
        running.send(signal.SIGKILL)
        running.end()
        lab.engine.start()
        if lab.chance.random() < 0.4:
            stack.is_killed(("up",), lab.chance.uniform(0.3, 1.5))
        stack.comes_up()


def on_a_full_disk(lab: Lab) -> None:
    """From some moment on: nothing runs on half of the data, neither now nor after an `up`."""
    stack = Restored(lab)
    for number, moment in enumerate(lab.moments(stack.usual)):
        lab.tally.rounds += 1
        stack.fill("old")
        running = stack.project.start(*stack.words)
        time.sleep(moment)
        lab.engine.leave_free(0)
        if number % 2:
            running.send(signal.SIGKILL)
        ended = running.end()
        if "Nothing was changed" in ended.text:
            lab.tally.check(stack.is_running(), f"it does not run: {ended.tail}")
        if stack.is_running():
            lab.tally.check(stack.is_whole(), f"half data is used: {ended.tail}")
        for word in ("up", "start", "up"):
            text = stack.project.invoke(word).text
            if stack.is_running():
                lab.tally.check(stack.is_whole(), f"half data is used after `{word}`: {text[-300:]}")
        lab.engine.resize("4g")
        # An engine whose disk was full lists a container that it stopped as running until it changes again:
        # the first `up` may say that it exited.
        lab.tally.ended(stack.project.invoke("up"), code=None)
        stack.comes_up()
