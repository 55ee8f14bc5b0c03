"""Rows of single commands: what `ps`, `config` and `--list` cost beside the floor, and the memory of each.

The floor is an empty Invoke task; for what asks the engine, one that imports the Docker SDK too.
"""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Mapping, Sequence

from benchmarks.costs import with_costs
from benchmarks.floor import invoke_task
from benchmarks.pairing import BenchmarkError, Measure, Row, run_pairs
from benchmarks.sides import Project, compose_side, invoke_side
from benchmarks.stack import example_project

_MEMORY = (
    ("build", "build"),
    ("up --detach", "up --detach --wait"),
    ("ps", "ps"),
    ("config", "config"),
    ("logs", "logs"),
    ("images", "images"),
    ("top", "top"),
    ("stats --no-stream", "stats --no-stream"),
    ("port web", "port web 5000"),
    ("exec web -- true", "exec -T web true"),
    ("run web -- true", "run --rm -T web true"),
    ("cp web:/etc/hostname hostname", "cp web:/etc/hostname hostname"),
    ("pause -s redis", "pause redis"),
    ("unpause -s redis", "unpause redis"),
    ("restart -s web", "restart web"),
    ("stop -s web", "stop web"),
    ("start -s web", "start web"),
    ("kill -s web", "kill web"),
    ("rm -s web --yes", "rm --force web"),
    ("stacks", "ls"),
    ("inspect web", ""),
    ("diff web", ""),
    ("urls", ""),
    ("env", ""),
    ("graph", ""),
    ("is-ready", ""),
    ("snapshots", ""),
    ("doctor", ""),
    ("down", "down"),
)
"""Each command, and what Compose has for it."""
_BEFORE = {"unpause": "pause -s redis", "start": "stop -s web", "rm": "stop -s web"}
_AFTER = {"pause": "unpause -s redis"}
"""What has to be done before and after, besides an `up`, so that both sides find the same."""


def command_rows(rounds: int) -> list[Row]:
    """Times beside the floor and beside Compose, then the memory of every command."""
    with example_project() as project, invoke_task() as empty, invoke_task("sdk") as sdk:
        compose, invoke = compose_side(project), invoke_side(project)
        invoke.up()
        program = invoke.prefix[0]

        def ours(*words: str) -> Measure:
            return lambda: project.run([program, *words])

        def theirs(*words: str) -> Measure:
            return lambda: project.run([*compose.prefix, *words])

        many = max(rounds, 9)
        rows = [
            run_pairs("`ps` beside an empty task that imports the SDK", ours("ps"), sdk,
                      bound=1.2, rounds=many, peer="empty task"),
            run_pairs("`config` beside an empty task", ours("config"), empty,
                      bound=1.2, rounds=many, peer="empty task"),
            run_pairs("`--list` beside an empty task", ours("--list"), empty,
                      rounds=many, peer="empty task"),
            run_pairs("`ps` beside Compose's", ours("ps"), theirs("ps"), rounds=many),
            run_pairs("`config` beside Compose's", ours("config"), theirs("config"), rounds=many),
        ]  # fmt: skip
        return [*_with_costs(rows, project), *_memory_rows(project)]


def _with_costs(rows: list[Row], project: Project) -> list[Row]:
    """What `ps`, `config` and `--list` cost, and what Compose's cost; an empty task asks nobody."""
    invoke, compose = invoke_side(project), compose_side(project)
    found = []
    for row in rows:
        word = row.name.split("`")[1]
        commands = [(*invoke.prefix, word)]
        if row.peer == "Docker Compose":
            commands.append((*compose.prefix, word))
        found.append(with_costs(row, project, commands, lambda: None))
    return found


def _memory_rows(project: Project) -> list[Row]:
    """Peak resident memory of the largest process of each command, in bytes."""
    return [_memory_row(project, mine, other) for mine, other in _MEMORY]


def _memory_row(project: Project, mine: str, other: str) -> Row:
    invoke = invoke_side(project)
    commands = [(*invoke.prefix, *mine.split())]
    if other:
        commands.append((*compose_side(project).prefix, *other.split()))
    name, peaks = f"memory of `{mine}`", []
    try:
        for command in commands:
            invoke.up()
            _also(_BEFORE, mine, project)
            peaks.append(_peak(command, project))
            _also(_AFTER, mine, project)
    except BenchmarkError as error:
        return Row(name, "MB", None, (), (), failure=str(error))
    return Row(name, "MB", None, (peaks[0],), tuple(peaks[1:]))


def _also(table: Mapping[str, str], command: str, project: Project) -> None:
    words = table.get(command.partition(" ")[0])
    if words:
        project.run([*invoke_side(project).prefix, *words.split()])


_LAUNCHER = """\
import os, sys
null = os.open(os.devnull, os.O_RDWR)
actions = [(os.POSIX_SPAWN_DUP2, null, number) for number in range(3)]
process = os.posix_spawnp(sys.argv[1], sys.argv[1:], os.environ, file_actions=actions)
_, status, usage = os.wait4(process, 0)
print(os.waitstatus_to_exitcode(status), usage.ru_maxrss)
"""
"""Starts a command and prints its exit code and peak. A process inherits the peak of the one that starts it,
so that has to be a small one."""


def _peak(command: Sequence[str], project: Project) -> float:
    launcher = [sys.executable, "-I", "-S", "-c", _LAUNCHER, *command]
    done = subprocess.run(
        launcher, cwd=project.directory, env=project.environment, capture_output=True, text=True, check=True
    )
    code, peak = map(int, done.stdout.split())
    if code:
        raise BenchmarkError(f"`{' '.join(command)}` ended with {code}")
    return float(peak * (1 if sys.platform == "darwin" else 1024))
