"""The quick part of the faults, as `make test` runs it; `invoke test.faults` runs the whole."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from tests.faults.catalogue import FAULTS
from tests.faults.engine import programs_there

ROOT = Path(__file__).parents[2]
QUICK = [name for name, fault in FAULTS.items() if fault.quick]

pytestmark = [pytest.mark.engine, pytest.mark.timeout(900), pytest.mark.xdist_group("faults")]


@pytest.fixture(scope="module")
def results(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    """Name of the fault -> its row, of one run on one engine of its own."""
    if not programs_there():
        pytest.skip("needs root, dockerd, unshare, ip, and busybox-static")
    file = tmp_path_factory.mktemp("faults") / "rows.json"
    words = [sys.executable, "-m", "tests.faults", "--quick", "--json", str(file)]
    if rounds := os.environ.get("DEVSTACK_FAULT_ROUNDS"):
        words += ["--rounds", rounds]
    done = subprocess.run(words, cwd=ROOT, capture_output=True, text=True, check=False)
    assert file.exists(), done.stderr[-2000:]
    return {row["fault"]: row["tally"] for row in json.loads(file.read_text(encoding="utf-8"))}


@pytest.mark.parametrize("fault", QUICK)
def test_nothing_is_lost_left_or_hung(results: dict[str, Any], fault: str) -> None:
    tally = results[fault]
    if tally["not_run"]:
        pytest.skip(tally["not_run"])
    assert tally["rounds"] > 0
    assert (tally["lost"], tally["left"], tally["hung"], tally["wrong"]) == (0, 0, 0, [])
