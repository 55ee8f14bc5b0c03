"""What every fault is given: the engine, a seeded chance, the number of rounds, projects."""

from __future__ import annotations

import random
from dataclasses import dataclass, field
from pathlib import Path

from tests.faults.engine import OwnEngine
from tests.faults.project import TASKS, Project
from tests.faults.tally import Tally


@dataclass
class Lab:
    """One fault's share. `thorough` is the whole run, which is given more time. `blows`: names of those that
    strike an operation; see `second.blows`."""

    engine: OwnEngine
    folder: Path
    chance: random.Random
    rounds: int
    thorough: bool
    blows: tuple[str, ...] = ()
    tally: Tally = field(default_factory=Tally)

    def project(self, compose: str, name: str = "app") -> Project:
        folder = self.folder / name
        folder.mkdir(parents=True, exist_ok=True)
        project = Project(self.engine, folder, name)
        project.write("tasks.py", TASKS)
        project.write("compose.yaml", compose)
        return project

    def moments(self, seconds: float) -> list[float]:
        """A moment for each round, spread over this time: one in each of as many equal parts, in an
        order of chance."""
        part = seconds / self.rounds
        moments = [part * (number + self.chance.random()) for number in range(self.rounds)]
        self.chance.shuffle(moments)
        return moments

    def each_round(self) -> range:
        """Numbers the rounds from 0; the tally counts them."""
        return range(self.rounds)
