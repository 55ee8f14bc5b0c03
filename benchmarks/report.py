"""Writes what a run measured between the two marks of `benchmarks/README.md`; the prose around stays."""

from __future__ import annotations

import os
import platform
import subprocess
from collections.abc import Sequence
from datetime import date
from pathlib import Path

from benchmarks.pairing import Row, as_markdown

README = Path(__file__).with_name("README.md")
BEGIN, END = "<!-- measured -->", "<!-- /measured -->"


def write_report(rows: Sequence[Row]) -> str:
    """Puts the table into the README and returns it."""
    table = f"{_circumstances()}\n\n{as_markdown(rows)}\n"
    before, _, rest = README.read_text().partition(BEGIN)
    _, _, after = rest.partition(END)
    README.write_text(f"{before}{BEGIN}\n{table}{END}{after}")
    return table


def _circumstances() -> str:
    engine = _say("docker", "version", "--format", "Engine {{.Server.Version}} (API {{.Server.APIVersion}})")
    compose = _say("docker", "compose", "version", "--short")
    cores = os.cpu_count()
    return (
        f"Measured on {date.today()}: {engine}, Docker Compose {compose}, "
        f"Python {platform.python_version()}, "
        f"{cores} cores, {platform.system()} {platform.machine()}. Medians, the spread in brackets; "
        "the ratio is the median of the pairs' ratios."
    )


def _say(*command: str) -> str:
    return subprocess.run(command, capture_output=True, text=True, check=True).stdout.strip()
