"""The lock of development has what pyproject.toml asks for, with a hash for each package."""

from __future__ import annotations

import re
import tomllib
from pathlib import Path

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name
from packaging.version import Version

ROOT = Path(__file__).parents[2]
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["project"]
EXTRAS = PROJECT["optional-dependencies"]
_PINNED = re.compile(
    r"^([\w.-]+)==(\S+)((?: ;[^\\]+)?) \\\n((?:    --hash=sha256:[0-9a-f]{64}(?: \\)?\n)+)", re.MULTILINE
)


def pinned(lock: str) -> dict[str, list[Version]]:
    """Package -> its versions: more than one where systems or Pythons differ."""
    found: dict[str, list[Version]] = {}
    for match in _PINNED.finditer((ROOT / lock).read_text("utf-8")):
        found.setdefault(canonicalize_name(match[1]), []).append(Version(match[2]))
    return found


def asked_for(extra: str) -> list[Requirement]:
    """What the package needs with an extra; extras of its own are followed."""
    found = []
    for line in [*PROJECT["dependencies"], *EXTRAS[extra]]:
        requirement = Requirement(line)
        if requirement.name == PROJECT["name"]:
            found += [inner for name in requirement.extras for inner in asked_for(name)]
        else:
            found.append(requirement)
    return found


@pytest.mark.parametrize(("lock", "extra"), [("requirements.txt", "all"), ("requirements-dev.txt", "dev")])
def test_the_lock_has_every_requirement_in_its_bounds(lock: str, extra: str) -> None:
    versions = pinned(lock)
    missing = [
        str(requirement)
        for requirement in asked_for(extra)
        if not (locked := versions.get(canonicalize_name(requirement.name)))
        or not all(requirement.specifier.contains(version) for version in locked)
    ]
    assert missing == [], f"{lock} lacks these lines of pyproject.toml; write it anew: invoke lock"


@pytest.mark.parametrize("lock", ["requirements.txt", "requirements-dev.txt"])
def test_every_line_of_the_lock_is_a_package_with_a_hash(lock: str) -> None:
    text = (ROOT / lock).read_text("utf-8")
    rest = _PINNED.sub("", text)
    assert [line for line in rest.splitlines() if line and not line.startswith("#")] == []


def test_both_locks_agree() -> None:
    run, development = pinned("requirements.txt"), pinned("requirements-dev.txt")
    assert {name: development.get(name) for name in run} == run


def test_all_is_every_extra_that_users_get() -> None:
    names = {name for line in EXTRAS["all"] for name in Requirement(line).extras}
    assert names == set(EXTRAS) - {"all", "dev"}
