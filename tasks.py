"""This repository's own stack, and its development tasks."""

import re
import shlex
import sys
from collections.abc import Mapping
from pathlib import Path

from invoke.collection import Collection
from invoke.context import Context
from invoke.tasks import task

from invoke_devstack import stack

dev = stack()
namespace = dev

CODE = ("invoke_devstack", "tests", "benchmarks", "flask-sample", "tools", "tasks.py")
PAGES = ("README.md", "CHANGELOG.md", "CONTRIBUTING.md", "SECURITY.md", "CODE_OF_CONDUCT.md")
SPELLED = ("invoke_devstack", "docs", "benchmarks", "flask-sample", "tools", "tasks.py", "Makefile", *PAGES)
NOTES = Path(__file__).parent / "services/mysql/notes.sql"
CLIENT = 'MYSQL_PWD="$MYSQL_PASSWORD" exec mysql -u "$MYSQL_USER" "$MYSQL_DATABASE" -e "$0"'


@dev.after("mysql")
def migrate(c: Context) -> None:
    """Creates the table of notes with a first note, when MySQL is ready and before the page needs it."""
    dev.run_in("mysql", "sh", "-c", CLIENT, NOTES.read_text(encoding="utf-8"))


@task(iterable=["paths"], help={"paths": "Only these; repeatable."})
def test(c: Context, paths: list[str]) -> None:
    """Run the tests (`make test` installs first)."""
    _tool(c, "pytest", *paths)


@task(
    help={
        "seed": "For random choices: the same seed breaks things at the same moments.",
        "rounds": "Rounds of each fault, instead of its own number.",
        "only": "Only these faults, separated by commas.",
        "blows": "What strikes in the faults named `second`, separated by commas.",
        "quick": "Only the few rounds that the tests include.",
    }
)
def faults(
    c: Context, seed: int = 1, rounds: int = 0, only: str = "", blows: str = "", quick: bool = False
) -> None:
    """Break things and count losses. Needs root.

    On an engine of its own. Prints what was lost, left over or hung.
    """
    chosen = {"--seed": seed, "--rounds": rounds, "--only": only, "--blows": blows}
    words = [word for flag, value in chosen.items() if value for word in (flag, str(value))]
    _tool(c, "python", "-m", "tests.faults", *words, *(["--quick"] if quick else []))


@task(help={"kills": "How many.", "seed": "The same seed kills at the same moments."})
def kills(c: Context, kills: int = 50, seed: int = 1) -> None:
    """Kill `up --host`, its supervisor, recorder and process.

    At random moments. Fails for what is left over or lost.
    """
    env = {"DEVSTACK_KILLS": str(kills), "DEVSTACK_KILLS_SEED": str(seed)}
    _tool(c, "pytest", "-s", "tests/functional/hosted/test_kills.py", env=env)


@task(help={"lines": "How many, in total."})
def lines(c: Context, lines: int = 1_000_000) -> None:
    """Count the lines of two containers and two processes.

    As `up` and `logs` print them: each once, in order.
    """
    env = {"DEVSTACK_LOG_LINES": str(lines)}
    _tool(c, "pytest", "-s", "tests/functional/processes/test_log_stream.py", env=env)


@task()
def swarm(c: Context) -> None:
    """Test deploying on a real cluster of this machine. Needs root."""
    _tool(c, "pytest", "tests/swarm", "--timeout", "400", env={"DEVSTACK_SWARM": "all"})


@task(
    help={"release": "Of Debian: bookworm, trixie or sid; repeatable. Default: the first two."},
    iterable=["release"],
)
def strangers(c: Context, release: list[str]) -> None:
    """Use the wheel on machines without this repository.

    Needs root and mmdebstrap. What a person reads there is written to build/strangers/.
    """
    chosen = ",".join(release or ("bookworm", "trixie"))
    _tool(c, "pytest", "tests/strangers", "--timeout", "1200", env={"DEVSTACK_STRANGERS": chosen})


@task()
def lowest(c: Context) -> None:
    """Run the unit tests with the lowest versions that are allowed.

    In an environment of its own.
    """
    _tool(c, "python", "-m", "tools.environments", "lowest")


@task(help={"python": "Only this one, such as 3.13; repeatable."}, iterable=["python"])
def pythons(c: Context, python: list[str]) -> None:
    """Run the unit tests on each Python that is here.

    In environments of their own.
    """
    _tool(c, "python", "-m", "tools.environments", "pythons", *python)


@task()
def lint(c: Context) -> None:
    """Check style, spelling, imports, types, and generated docs."""
    _tool(c, "ruff", "check", *CODE)
    _tool(c, "ruff", "format", "--check", *CODE)
    _tool(c, "codespell", *SPELLED)
    _tool(c, "lint-imports")
    _tool(c, "mypy")
    _tool(c, "python", "tools/messages.py", "--check")
    _tool(c, "python", "tools/compose_page.py", "--check")
    _tool(c, "python", "tools/schema.py", "--check")
    _tool(c, "python", "tools/habits_page.py", "--check")


@task(
    help={
        "only": "Some of stack, remote, watch, logs, scale, commands, dashboard, with commas.",
        "rounds": "Measured rounds of each row.",
        "seconds": "Of 5,000 lines a second, in the section dashboard; 2000 are ten million lines.",
    }
)
def bench(c: Context, only: str = "", rounds: int = 7, seconds: int = 60) -> None:
    """Compare with Docker Compose; write the results.

    The results go to benchmarks/README.md.
    """
    words = ["--rounds", str(rounds), "--seconds", str(seconds), *(["--only", only] if only else [])]
    _tool(c, "python", "-m", "benchmarks", *words)


@task()
def messages(c: Context) -> None:
    """Write docs/reference/messages.md from the code."""
    _tool(c, "python", "tools/messages.py")


@task()
def compose(c: Context) -> None:
    """Write docs/reference/compose.md from the code."""
    _tool(c, "python", "tools/compose_page.py")


@task()
def schema(c: Context) -> None:
    """Write docs/reference/schema and docs/json.md's tables."""
    _tool(c, "python", "tools/schema.py")


@task(help={"serve": "Read it in the browser while writing, instead."})
def site(c: Context, serve: bool = False) -> None:
    """Build the pages as a site into build/site.

    Strictly: a link that leads nowhere is an error.
    """
    _tool(c, "python", "tools/site.py", *(["--serve"] if serve else []))


@task(help={"upgrade": "Take the newest versions; else only what pyproject.toml needs is changed."})
def lock(c: Context, upgrade: bool = False) -> None:
    """Write requirements.txt and requirements-dev.txt.

    Every package with its version and hashes, for every system and Python.
    """
    _tool(c, "python", "tools/lock.py", *(["--upgrade"] if upgrade else []))


@task(help={"dry_run": "Check and build, but do not tag."})
def release(c: Context, dry_run: bool = False) -> None:
    """Check, build into dist/, and tag a release.

    Nothing is uploaded.
    """
    _tool(c, "python", "tools/release.py", *(["--dry-run"] if dry_run else []))


@task()
def audit(c: Context) -> None:
    """Ask PyPI whether a locked package has a known vulnerability.

    Fails if it cannot be asked.
    """
    _tool(c, "pip-audit", "--requirement", "requirements-dev.txt", "--disable-pip", "--strict")


@task()
def licences(c: Context) -> None:
    """List the licences of what users install."""
    names = re.findall(r"^([\w.-]+)==", (Path(__file__).parent / "requirements.txt").read_text("utf-8"), re.M)
    _tool(c, "pip-licenses", "--from=mixed", "--order=license", "--packages", *names)


@task()
def habits(c: Context) -> None:
    """Write docs/reference/habits.md from the data of the tests."""
    _tool(c, "python", "tools/habits_page.py")


def _tool(c: Context, name: str, *words: str, env: Mapping[str, str] | None = None) -> None:
    """Runs a program of this virtual environment, even if it is not on PATH."""
    with c.cd(str(Path(__file__).parent)):
        c.run(
            shlex.join([str(Path(sys.executable).with_name(name)), *words]),
            pty=sys.stdout.isatty(),
            env={**(env or {})},
        )


tests = Collection("test", faults, kills, lines, swarm, strangers, lowest, pythons)
tests.add_task(test, name="all", default=True)
namespace.add_collection(tests)
namespace.add_collection(Collection("docs", messages, compose, schema, habits, site))
namespace.add_task(lint)
namespace.add_task(bench)
namespace.add_collection(Collection("deps", audit, licences))
namespace.add_task(lock)
namespace.add_task(release)
