"""Checks that this commit can be a release, builds its files twice to compare them, and tags it.

`release.py --dry-run` does all but the tag. Nothing is uploaded: `twine upload dist/*` is for a person.
"""

from __future__ import annotations

import os
import re
import subprocess
import sys
import tempfile
import tomllib
from collections.abc import Iterator
from pathlib import Path

ROOT = Path(__file__).parents[1]
DIST = ROOT / "dist"


class NotReadyError(Exception):
    """What has to be done before a release, a sentence each."""


def version() -> str:
    """The version of the package, from the one place where it stands."""
    source = (ROOT / "invoke_devstack/__init__.py").read_text("utf-8")
    found = re.search(r'^__version__ = "(.+)"$', source, re.MULTILINE)
    assert found is not None
    return found[1]


def problems(number: str) -> Iterator[str]:
    """What keeps this commit from being a release."""
    if _git("status", "--porcelain"):
        yield "there are changes that are not committed: commit or stash them"
    if _git("tag", "--list", f"v{number}"):
        yield f"v{number} is tagged already: raise __version__ in invoke_devstack/__init__.py"
    if not section(number, (ROOT / "CHANGELOG.md").read_text("utf-8")):
        yield f"CHANGELOG.md has nothing under `## [{number}] - DATE`: move what is under Unreleased there"


def section(number: str, changelog: str) -> str:
    """What the changelog says of a version that has a date; "" if nothing."""
    found = re.search(
        rf"^## \[{re.escape(number)}\] - \d{{4}}-\d\d-\d\d\n(.*?)(?=^## |\Z)",
        changelog,
        re.MULTILINE | re.DOTALL,
    )
    return found[1].strip() if found else ""


def build(folder: Path, epoch: int) -> list[Path]:
    """Builds wheel and sdist with the installed tools, as of `epoch` (seconds since 1970); their paths."""
    folder.mkdir(parents=True, exist_ok=True)
    environment = {**os.environ, "SOURCE_DATE_EPOCH": str(epoch)}
    words = [sys.executable, "-m", "build", "--no-isolation", "--outdir", str(folder), str(ROOT)]
    subprocess.run(words, check=True, env=environment, stdout=subprocess.DEVNULL)
    return sorted(path for path in folder.iterdir() if path.name.endswith((".whl", ".tar.gz")))


def check(files: list[Path]) -> None:
    """Has both files examined.

    Raises:
        subprocess.CalledProcessError: a check failed, and has printed why.
    """
    subprocess.run([sys.executable, "-m", "twine", "check", "--strict", *map(str, files)], check=True)
    wheels = [str(path) for path in files if path.suffix == ".whl"]
    subprocess.run([sys.executable, "-m", "check_wheel_contents", *wheels], check=True)


def release(dry_run: bool) -> None:
    """Builds into dist/ and tags.

    Raises:
        NotReadyError: before anything is written.
    """
    number = version()
    if found := list(problems(number)):
        raise NotReadyError("\n".join(found))
    epoch = int(_git("log", "-1", "--format=%ct"))
    DIST.mkdir(exist_ok=True)
    for old in DIST.glob("invoke_devstack-*"):
        old.unlink()
    files = build(DIST, epoch)
    with tempfile.TemporaryDirectory() as again:
        if [path.read_bytes() for path in files] != [path.read_bytes() for path in build(Path(again), epoch)]:
            raise NotReadyError("a second build gave other bytes")
    check(files)
    if dry_run:
        say(f"would tag v{number}")
        return
    _git("tag", "--annotate", f"v{number}", "--message", f"invoke-devstack {number}")
    say(f"tagged v{number}; next: git push --tags, twine upload dist/*")


def say(line: str) -> None:
    sys.stdout.write(f"{line}\n")


def _git(*words: str) -> str:
    done = subprocess.run(["git", *words], cwd=ROOT, capture_output=True, text=True, check=True)
    return done.stdout.strip()


def supported_pythons() -> list[str]:
    """The Pythons of the classifiers."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["project"]
    found = (
        re.fullmatch(r"Programming Language :: Python :: (3\.\d+)", line) for line in project["classifiers"]
    )
    return [match[1] for match in found if match]


if __name__ == "__main__":
    try:
        release(dry_run="--dry-run" in sys.argv[1:])
    except NotReadyError as error:
        sys.exit("".join(f"error: {line}\n" for line in str(error).splitlines()).rstrip())
