"""Namespaces of the harness' own: what it breaks is its own, and dies with it."""

from __future__ import annotations

import os
import subprocess
import sys

_INSIDE = "DEVSTACK_FAULTS_INSIDE"


def inside() -> bool:
    return os.environ.get(_INSIDE) == "1"


def enter() -> int:
    """Runs this program again in new network, mount and process namespaces; returns its exit code.

    A shell is their process 1: it reaps what loses its parent, which the engine's helpers do.
    """
    words = ["unshare", "--net", "--mount", "--pid", "--fork", "--kill-child", "--mount-proc"]
    words += ["sh", "-c", 'ip link set lo up && "$@"; exit $?', "sh"]
    words += [sys.executable, "-m", "tests.faults", *sys.argv[1:]]
    return subprocess.run(words, env={**os.environ, _INSIDE: "1"}, check=False).returncode
