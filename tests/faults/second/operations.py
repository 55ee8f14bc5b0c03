"""Each operation of several steps is struck, its settling too: afterwards the data are old or new, whole."""

from __future__ import annotations

import itertools
import json
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field

from invoke_devstack.engine.containers.port_holders import UNLISTED
from tests.faults.data import images_there
from tests.faults.lab import Lab
from tests.faults.project import Ended, eventually
from tests.faults.second.blows import BLOWS, GENTLE, Strike
from tests.faults.second.databases import MOST, Databases

_USUAL = 2.0  # seconds of a command, where it was not measured
_EXPORTED = "exported.tgz"


@dataclass
class Struck:
    """One run of a fault: its stack, and what the rounds need of each other."""

    lab: Lab
    data: Databases
    usual: dict[str, float] = field(default_factory=dict)
    exported: set[int] = field(default_factory=set)
    number: int = 0
    what: str = ""
    """The last command that was struck, by what, and when."""

    def blow(self, *words: str, gentle: bool = False, ready: str = "") -> Ended:
        """Runs the command and strikes it at a moment of chance; one of those of `GENTLE` if asked for.
        `ready`: the moment counts from when the command shows this."""
        names = [name for name in BLOWS if name in self.lab.blows and (name in GENTLE or not gentle)]
        name = self.lab.chance.choice(names or ["kill-twice"])
        usual = self.usual.get(words[0], _USUAL)
        moment = self.lab.chance.uniform(0.1, 1.0) * usual
        self.what = f"`{' '.join(words)}`, {name} at {moment:.2f} s"
        running = self.data.project.start(*words)
        if ready:
            self.lab.tally.check(running.says(ready, 60), f"`{words[0]}` is not ready: {running.text[-300:]}")
            self.data.save(self.number)
        strike = Strike(self.lab, self.data.project, running, moment, stays=bool(ready))
        ended = BLOWS[name](strike)
        # The moments follow the machine: until the command ends before its blow, they come later and later.
        self.usual[words[0]] = strike.ended_after or max(usual, 1.2 * moment)
        return ended

    def settle(self) -> None:
        """`up`, once the engine has carried out what a killed command had asked it for: a stop that is still
        under way would end what `up` has just found running."""
        seen, since = self.data.project.states(), time.monotonic()
        until = since + 30
        while time.monotonic() < min(since + 2, until):
            time.sleep(0.2)
            if (now := self.data.project.states()) != seen:
                seen, since = now, time.monotonic()
        ended = self.data.project.invoke("up")
        if UNLISTED in ended.text:
            ended = self._restart_engine_and_up()
        self.lab.tally.ended(ended)

    def _restart_engine_and_up(self) -> Ended:
        """What the hint advises where a killed engine keeps a port for a container that is gone."""
        self.lab.tally.notes.append(
            f"the engine kept a port after {self.what}; restarted it, as `up` advised"
        )
        self.lab.engine.stop()
        self.lab.engine.start()
        return self.data.project.invoke("up")

    def snapshots(self, service: str) -> list[str]:
        """Those of the service that are listed, oldest first."""
        done = self.data.project.invoke("snapshots", "--json")
        listed = json.loads(done.text[done.text.index("[") :])
        return [item["name"] for item in listed if item["service"] == service]

    def restored(self, service: str, name: str) -> set[int]:
        """What the service has once this snapshot is in place."""
        self.data.invoke("restore", service, "--name", name, "--yes")
        return self.data.found(_container(service))

    def forget(self, service: str, names: list[str]) -> None:
        for name in names:
            self.data.invoke("snapshots.rm", name, "--service", service, "--yes")

    def lose(self, service: str, missing: set[int], why: str) -> None:
        self.lab.tally.lost += max(len(missing), 1)
        self.lab.tally.check(False, f"{service}: {why} after {self.what}")

    def database(self) -> str:
        """Mostly the Redis; MySQL takes its time."""
        return "mysql" if self.lab.chance.random() < 0.25 else "store"


def _container(service: str) -> str:
    return service if service == "mysql" else f"{service}-1"


def scale(struck: Struck) -> None:
    """To another number of containers, each with an anonymous volume of its own."""
    struck.blow("scale", f"cache={struck.lab.chance.choice((1, 3, MOST))}")
    struck.settle()
    struck.data.invoke("scale", f"cache={MOST}")
    struck.data.check(struck.what)
    struck.settle()


def remove(struck: Struck) -> None:
    which = struck.lab.chance.choice(((), ("-s", "cache"), ("-s", "store,app"), ("-s", "mysql")))
    struck.blow("rm", "--stop", "--yes", *which)
    struck.settle()


def recreate(struck: Struck) -> None:
    """An `up` after a change of every service; sometimes the next one has another change."""
    struck.data.project.variables["MARK"] = str(struck.number)
    struck.blow("up", *struck.lab.chance.choice(((), (), ("--force-recreate",), ("--build",))))
    if struck.lab.chance.random() < 0.3:
        struck.data.project.variables["MARK"] = f"{struck.number} again"
    struck.settle()


def rebuild(struck: Struck) -> None:
    """The watch rebuilds `app`; in the end its image is of what was saved."""
    struck.blow("watch", ready="watching")
    struck.settle()
    struck.data.invoke("up", "--build")
    mark = struck.data.project.run_in("app", "cat /mark")[1].strip()
    struck.lab.tally.check(mark == str(struck.number), f"app has {mark!r} after {struck.what}")


def reset(struck: Struck) -> None:
    """Old: all is there. New: nothing is, and the snapshot of before has all."""
    service = struck.database()
    with struck.data.quiet(service):
        noted = set(struck.data.noted[_container(service)])
        # A MySQL whose first start is cut off with its engine or its disk never starts again.
        struck.blow("reset", "--service", service, "--yes", gentle=service == "mysql")
        struck.settle()
        found = struck.data.found(_container(service))
        taken = struck.snapshots(service)
        if not found and taken:
            found = struck.restored(service, taken[-1])
        if noted - found:
            struck.lose(service, noted - found, f"{len(noted - found)} of {len(noted)} are gone")
        struck.forget(service, taken)


def snapshot(struck: Struck) -> None:
    """One that is listed has all that was acknowledged before it."""
    service, name = struck.database(), f"s{struck.number}"
    with struck.data.quiet(service):
        noted = set(struck.data.noted[_container(service)])
        struck.blow("snapshot", service, "--name", name)
        struck.settle()
        if name in struck.snapshots(service):
            missing = noted - struck.restored(service, name)
            if missing:
                struck.lose(service, missing, "the snapshot is not whole")
            struck.forget(service, [name])


def restore(struck: Struck) -> None:
    """Old: all that was written since the snapshot is there too. New: exactly what the snapshot has."""
    service, name = struck.database(), f"r{struck.number}"
    with struck.data.quiet(service):
        struck.data.invoke("snapshot", service, "--name", name)
        then = struck.data.found(_container(service))
        if service == "mysql":
            struck.data.write_throughout(service)
            time.sleep(1)
            struck.data.end_writer(service)
        else:
            struck.data.write()
        noted = set(struck.data.noted[_container(service)])
        struck.blow("restore", service, "--name", name, "--yes")
        struck.settle()
        found = struck.data.found(_container(service))
        if not (found == then or found >= noted):
            struck.lose(service, noted - found, f"it is neither old nor new, {len(found)} of {len(noted)}")
        struck.data.noted[_container(service)] = found
        struck.forget(service, [name])


def import_(struck: Struck) -> None:
    """A snapshot that is listed has exactly what its file has."""
    if not struck.exported:
        struck.data.invoke("snapshot", "store", "--name", "exported")
        struck.exported = struck.data.found("store-1")
        struck.data.invoke("snapshots.export", "exported", _EXPORTED)
        struck.forget("store", ["exported"])
    name = f"i{struck.number}"
    struck.blow("snapshots.import", _EXPORTED, "--name", name)
    struck.settle()
    if name in struck.snapshots("store"):
        found = struck.restored("store", name)
        if found != struck.exported:
            struck.lose("store", struck.exported - found, "the imported snapshot is not whole")
        struck.data.noted["store-1"] = found
        struck.forget("store", [name])


OPERATIONS: dict[str, Callable[[Struck], None]] = {
    "scale": scale,
    "rm": remove,
    "recreate": recreate,
    "watch": rebuild,
    "reset": reset,
    "snapshot": snapshot,
    "restore": restore,
    "import": import_,
}


def strike_each(lab: Lab) -> None:
    """The operations take turns."""
    _strike(lab, itertools.cycle(OPERATIONS.values()))


def striking(name: str) -> Callable[[Lab], None]:
    """The fault that strikes this operation alone."""
    return lambda lab: _strike(lab, itertools.repeat(OPERATIONS[name]))


def _strike(lab: Lab, operations: Iterator[Callable[[Struck], None]]) -> None:
    if not images_there(lab):
        return
    struck = Struck(lab, Databases(lab))
    for number in lab.each_round():
        lab.tally.rounds += 1
        struck.number = number + 1
        struck.data.write()
        next(operations)(struck)
        struck.data.check(struck.what)
        _leaves_nothing(struck)
    struck.data.end_writers()
    struck.data.check("the last round")
    counts = sum(map(len, struck.data.noted.values()))
    lab.tally.notes.append(f"{counts} writes acknowledged by MySQL and Redis, looked for after each round")
    struck.data.invoke("down", "--volumes", "--yes")


def _leaves_nothing(struck: Struck) -> None:
    """A build that was cut off may end only now, and leaves its last layer without a name."""

    def extra() -> bool:
        after = struck.lab.engine.inventory()
        after["images"] = {name for name in after["images"] if name in struck.data.before["images"]}
        return any(after[kind] - struck.data.before[kind] for kind in after)

    if not eventually(lambda: not extra(), 5):
        after = struck.lab.engine.inventory()
        after["images"] &= struck.data.before["images"]
        struck.lab.tally.nothing_beyond(struck.data.before, after)
