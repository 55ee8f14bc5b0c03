"""What an installed copy brings along."""

from __future__ import annotations

import tomllib
from pathlib import Path

REPOSITORY = Path(__file__).parents[2]


def test_every_file_of_the_package_that_is_no_module_is_package_data() -> None:
    package = REPOSITORY / "invoke_devstack"
    tools = tomllib.loads((REPOSITORY / "pyproject.toml").read_text())["tool"]
    patterns = tools["setuptools"]["package-data"]["invoke_devstack"]
    brought = {path for pattern in patterns for path in package.glob(pattern)}
    there = {path for path in package.rglob("*") if path.is_file() and path.suffix not in (".py", ".pyc")}
    assert there - brought == set()
