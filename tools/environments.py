"""Runs the unit tests where users may be: `environments.py lowest`, `environments.py pythons [3.13 ...]`.

Each in an environment of its own, made by uv in the temporary folder, with the versions of the lock. `lowest`
has, of what pyproject.toml asks for, the lowest versions that it allows.
"""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
import tempfile
import tomllib
from pathlib import Path

from tools.release import supported_pythons

ROOT = Path(__file__).parents[1]
_REQUIREMENT = re.compile(r"^([\w.-]+)>=([\w.]+)[^;]*(;.*)?$")


def lowest_allowed() -> list[str]:
    """`name==version` of each package that users get, at its lower bound."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["project"]
    extras = project["optional-dependencies"]
    wanted = [*project["dependencies"], *(line for name in extras if name != "dev" for line in extras[name])]
    found = (_REQUIREMENT.fullmatch(line) for line in wanted)
    return [f"{match[1]}=={match[2]}{match[3] or ''}" for match in found if match]


def uv(*words: str, **options: object) -> None:
    """Raises: subprocess.CalledProcessError, when uv has said why."""
    subprocess.run([sys.executable, "-m", "uv", *words], cwd=ROOT, check=True, **options)  # type: ignore[call-overload]


def make(folder: Path, python: str, *, lowest: bool) -> None:
    """An environment with the package in editable mode and what its tests need."""
    lock = ROOT / "requirements-dev.txt"
    uv("venv", "--quiet", "--no-config", "--no-python-downloads", "--python", python, str(folder))
    into = ["--python", str(folder / "bin/python"), "--native-tls", "--no-config", "--quiet"]
    uv("pip", "install", *into, "--require-hashes", "--requirement", str(lock))
    uv("pip", "install", *into, "--no-deps", "--no-build-isolation", "--editable", str(ROOT))
    if lowest:
        uv("pip", "install", *into, *lowest_allowed())


def run_unit_tests(python: str, *, lowest: bool) -> int:
    """The exit code of pytest."""
    folder = Path(tempfile.mkdtemp(prefix="devstack-environment-"))
    try:
        make(folder / "venv", python, lowest=lowest)
        binaries = folder / "venv/bin"
        environment = {**os.environ, "PATH": f"{binaries}{os.pathsep}{os.environ['PATH']}"}
        words = [str(binaries / "pytest"), "-q", "-n", "2", "-p", "no:cacheprovider", "tests/unit"]
        return subprocess.run(words, cwd=ROOT, env=environment, check=False).returncode
    finally:
        shutil.rmtree(folder)


def interpreter(python: str) -> str:
    """One of this version on this machine, pyenv's too; "" if there is none."""
    words = [sys.executable, "-m", "uv", "python", "find", "--no-config", "--no-python-downloads", python]
    found = subprocess.run(words, capture_output=True, text=True, check=False).stdout.strip()
    pyenv = Path(os.environ.get("PYENV_ROOT", Path.home() / ".pyenv"))
    return found or next((str(path) for path in pyenv.glob(f"versions/{python}.*/bin/python")), "")


def say(line: str) -> None:
    sys.stderr.write(f"{line}\n")


def main(what: str, *chosen: str) -> int:
    """0 if all passed."""
    if what == "lowest":
        return run_unit_tests(supported_pythons()[0], lowest=True)
    failed = 0
    for python in chosen or supported_pythons():
        found = interpreter(python)
        if not found:
            say(f"Python {python} is not on this machine")
            failed += bool(chosen)
            continue
        say(f"Python {python}")
        failed += run_unit_tests(found, lowest=False) != 0
    return min(failed, 1)


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
