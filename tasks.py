"""This repository's own stack, and the tasks of its development."""

import shlex
import sys
from pathlib import Path

from invoke.collection import Collection
from invoke.context import Context
from invoke.tasks import Task

from invoke_devstack import stack

dev = stack()
namespace = dev

CODE = ("invoke_devstack", "tests", "benchmarks", "flask-sample", "tasks.py")
NOTES = Path(__file__).parent / "services/mysql/notes.sql"
CLIENT = 'MYSQL_PWD="$MYSQL_PASSWORD" exec mysql -u "$MYSQL_USER" "$MYSQL_DATABASE" -e "$0"'


@dev.after("mysql")
def migrate(c: Context) -> None:
    """The table of the notes, and a first note: once MySQL is ready, before the page that needs them."""
    dev.run_in("mysql", "sh", "-c", CLIENT, NOTES.read_text(encoding="utf-8"))


def test(c: Context, paths: list[str]) -> None:
    """Run the tests; `make test` installs what they need first."""
    _tool(c, "pytest", *paths)


def faults(c: Context, seed: int = 1, rounds: int = 0, only: str = "", quick: bool = False) -> None:
    """Break things on an engine of its own, and print what was lost, left over, or hung. Needs root."""
    chosen = {"--seed": seed, "--rounds": rounds, "--only": only}
    words = [word for flag, value in chosen.items() if value for word in (flag, str(value))]
    _tool(c, "python", "-m", "tests.faults", *words, *(["--quick"] if quick else []))


def lint(c: Context) -> None:
    """Check style, the imports of the rooms, and types."""
    _tool(c, "ruff", "check", *CODE)
    _tool(c, "ruff", "format", "--check", *CODE)
    _tool(c, "lint-imports")
    _tool(c, "mypy")


def bench(c: Context, only: str = "", rounds: int = 7) -> None:
    """Measure beside Docker Compose, and write benchmarks/README.md."""
    _tool(c, "python", "-m", "benchmarks", "--rounds", str(rounds), *(["--only", only] if only else []))


def _tool(c: Context, name: str, *words: str) -> None:
    """A program of this virtual environment, whatever stands on PATH."""
    with c.cd(str(Path(__file__).parent)):
        c.run(shlex.join([str(Path(sys.executable).with_name(name)), *words]), pty=sys.stdout.isatty())


tests = Collection("test")
tests.add_task(
    Task(test, iterable=["paths"], help={"paths": "Only these; may be repeated."}), name="all", default=True
)
tests.add_task(
    Task(
        faults,
        help={
            "seed": "Of every moment and choice: the same seed breaks at the same moments.",
            "rounds": "Of each fault, instead of its own number.",
            "only": "These alone, with commas between them.",
            "quick": "The few rounds that are a part of the tests.",
        },
    )
)
namespace.add_collection(tests)
namespace.add_task(Task(lint))
namespace.add_task(
    Task(
        bench,
        help={
            "only": "Sections of stack, watch, logs, scale and commands, with commas; default: all.",
            "rounds": "Counted rounds of each row.",
        },
    )
)
