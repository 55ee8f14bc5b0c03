"""The package, built once for all tests of this folder, and what it is installed with."""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.functional.conftest import ROOT
from tools.release import build

EPOCH = 1_700_000_000  # seconds since 1970
_LOCKED = re.compile(r"^(\S+==[^\\]+?) \\$", re.MULTILINE)


@dataclass(frozen=True)
class Built:
    """The two files of a release."""

    wheel: Path
    sdist: Path

    @property
    def files(self) -> list[Path]:
        return [self.wheel, self.sdist]


@pytest.fixture(scope="session")
def built(tmp_path_factory: pytest.TempPathFactory) -> Built:
    wheel, sdist = build(tmp_path_factory.mktemp("dist"), EPOCH)
    return Built(wheel, sdist)


@pytest.fixture(scope="session")
def constraints(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The versions of the lock, as limits: a release of today changes no test."""
    file = tmp_path_factory.mktemp("constraints") / "constraints.txt"
    locked = _LOCKED.findall((ROOT / "requirements.txt").read_text("utf-8"))
    file.write_text("".join(f"{line}\n" for line in locked))
    return file
