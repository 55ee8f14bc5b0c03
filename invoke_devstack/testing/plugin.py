"""The pytest plugin. Without `--devstack`, it costs a run only the import of this module."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import AbstractContextManager
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from invoke_devstack.errors import DevstackError
    from invoke_devstack.testing.copy import Devstack


def pytest_addoption(parser: pytest.Parser) -> None:
    """Adds `--devstack` and its options."""
    group = parser.getgroup("devstack", "an isolated copy of the local stack")
    group.addoption("--devstack", action="store_true", help="Start a copy of the stack for `devstack`.")
    group.addoption(
        "--devstack-services",
        default="",
        metavar="NAMES",
        help="Only these services, separated by commas, and their dependencies.",
    )
    group.addoption("--devstack-build", action="store_true", help="Build the images first.")
    group.addoption(
        "--devstack-directory",
        default="",
        metavar="DIR",
        help="Directory of the tasks.py or the Compose files. Default: pytest's root directory.",
    )


@pytest.fixture(scope="session")
def devstack(request: pytest.FixtureRequest) -> Iterator[Devstack]:
    """An isolated copy of the stack, on free ports, with empty volumes. Removed when the session ends.

    Tests that use it are skipped without `--devstack`.
    """
    config = request.config
    if not config.getoption("--devstack"):
        pytest.skip("needs the stack: run `pytest --devstack`")
    from invoke_devstack.testing.copy import isolated_stack

    directory = Path(config.rootpath, config.getoption("--devstack-directory"))
    names = [name.strip() for name in config.getoption("--devstack-services").split(",") if name.strip()]
    copy = isolated_stack(directory, services=tuple(names), build=config.getoption("--devstack-build"))
    running, failure = _entered(copy)
    if running is None:
        pytest.fail(failure, pytrace=False)
    yield running
    copy.__exit__(None, None, None)


def _entered(copy: AbstractContextManager[Devstack]) -> tuple[Devstack | None, str]:
    """The running copy, or the text that says why it failed."""
    from invoke_devstack.errors import DevstackError, Interrupted

    try:
        return copy.__enter__(), ""
    except Interrupted:
        raise KeyboardInterrupt from None
    except DevstackError as error:
        return None, explained(error)


def explained(error: DevstackError) -> str:
    """Message, position, details and hint, one line each."""
    place = f"{error.position}: " if error.position else ""
    hint = [f"hint: {error.hint}"] if error.hint else []
    return "\n".join([f"cannot start the stack: {place}{error.message}", *error.details, *hint])
