"""The pytest plugin. Without `--devstack` it costs a run nothing but the import of this module."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import AbstractContextManager
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from invoke_devstack.testing.copy import Devstack


def pytest_addoption(parser: pytest.Parser) -> None:
    """Adds `--devstack` and what goes with it."""
    group = parser.getgroup("devstack", "an isolated copy of the local stack")
    group.addoption("--devstack", action="store_true", help="Bring up a copy of the stack for `devstack`.")
    group.addoption(
        "--devstack-services",
        default="",
        metavar="NAMES",
        help="Only these services, a comma list, and what they depend on.",
    )
    group.addoption("--devstack-build", action="store_true", help="Build the images first.")
    group.addoption(
        "--devstack-directory",
        default="",
        metavar="DIR",
        help="Where the tasks.py or the Compose files are. Default: pytest's root directory.",
    )


@pytest.fixture(scope="session")
def devstack(request: pytest.FixtureRequest) -> Iterator[Devstack]:
    """A copy of the stack of its own, on free ports, with empty volumes; gone when the session ends.

    Tests that use it are skipped where pytest runs without `--devstack`.
    """
    config = request.config
    if not config.getoption("--devstack"):
        pytest.skip("needs the stack: run pytest with --devstack")
    from invoke_devstack.testing.copy import isolated_stack

    directory = Path(config.rootpath, config.getoption("--devstack-directory"))
    names = [name.strip() for name in config.getoption("--devstack-services").split(",") if name.strip()]
    copy = isolated_stack(directory, services=tuple(names), build=config.getoption("--devstack-build"))
    running, trouble = _entered(copy)
    if running is None:
        pytest.fail(trouble, pytrace=False)
    yield running
    copy.__exit__(None, None, None)


def _entered(copy: AbstractContextManager[Devstack]) -> tuple[Devstack | None, str]:
    """The running copy, or what a person is told of why there is none."""
    from invoke_devstack.errors import DevstackError, Interrupted
    from invoke_devstack.testing.words import explained

    try:
        return copy.__enter__(), ""
    except Interrupted:
        raise KeyboardInterrupt from None
    except DevstackError as error:
        return None, explained(error)
