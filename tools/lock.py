"""Writes requirements.txt and requirements-dev.txt: versions and hashes, for every system and Python.

`lock.py` keeps the versions that are there where it can, `lock.py --upgrade` takes the newest.
"""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parents[1]
DEVELOPMENT = "requirements-dev.txt"
# file -> extra, in the order in which they are resolved: development asks for more, so it has the say.
LOCKS = {DEVELOPMENT: "dev", "requirements.txt": "all"}
LOWEST_PYTHON = "3.11"
# What builds the package is pinned too; pip itself is the environment's own.
BUILDS = "hatchling>=1.27\neditables>=0.5\n"
HEADER = "# Written by `invoke lock` from pyproject.toml (`invoke lock --upgrade` for newer versions).\n"


def write(name: str, upgrade: bool) -> None:
    """Resolves one lock; that of users is held to the versions of the other.

    Raises:
        subprocess.CalledProcessError: no versions fit together, or no index answers; uv has said why.
    """
    words = [sys.executable, "-m", "uv", "pip", "compile", "pyproject.toml", "-", "--extra", LOCKS[name]]
    words += ["--output-file", name]
    words += ["--universal", "--python-version", LOWEST_PYTHON, "--generate-hashes", "--no-header", "--quiet"]
    words += ["--no-annotate", "--native-tls", "--no-config", "--no-emit-package", "invoke-devstack"]
    if name != DEVELOPMENT:
        words += ["--constraint", DEVELOPMENT]
    if upgrade:
        words.append("--upgrade")
    subprocess.run(words, cwd=ROOT, input=BUILDS, text=True, check=True, stdout=subprocess.DEVNULL)
    file = ROOT / name
    file.write_text(HEADER + file.read_text("utf-8"), "utf-8")


if __name__ == "__main__":
    try:
        for lock in LOCKS:
            write(lock, upgrade="--upgrade" in sys.argv[1:])
    except subprocess.CalledProcessError as error:
        sys.exit(error.returncode)
