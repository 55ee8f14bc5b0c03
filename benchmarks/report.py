"""Keeps what was measured (`results.json`, by engine and section) and writes it between the marks of
`benchmarks/README.md`: a summary, and all rows. The prose around stays."""

from __future__ import annotations

import json
import os
import platform
import subprocess
from collections.abc import Sequence
from dataclasses import asdict
from datetime import date
from pathlib import Path
from typing import Any

from benchmarks.pairing import Row, as_markdown
from benchmarks.summary import summarize

_HERE = Path(__file__).parent
README, RESULTS = _HERE / "README.md", _HERE / "results.json"
ORDER = ("stack", "remote", "watch", "logs", "scale", "commands", "dashboard")


def keep(section: str, rows: Sequence[Row]) -> None:
    """Puts the rows of a section in the place of those of the run before, on this engine."""
    results = _results()
    of_engine = results.setdefault(engine_version(), {})
    of_engine[section] = {"measured": _circumstances(), "rows": [asdict(row) for row in rows]}
    RESULTS.write_text(json.dumps(results, indent=1) + "\n")


def engine_version() -> str:
    return _say("docker", "version", "--format", "{{.Server.Version}}")


def write_report() -> None:
    """Writes all that is kept into the README."""
    parts = []
    engines: dict[str, dict[str, list[Row]]] = {}
    for version, sections in sorted(_results().items()):
        parts.append(f"### Engine {version}\n")
        for name in sorted(sections, key=ORDER.index):
            rows = [_row(values) for values in sections[name]["rows"]]
            engines.setdefault(version, {})[name] = rows
            parts.append(f"#### {name}\n\n{sections[name]['measured']}\n\n{as_markdown(rows)}\n")
    text = _between("summary", f"{summarize(engines)}\n", README.read_text())
    README.write_text(_between("measured", "\n".join(parts), text))


def _between(mark: str, text: str, page: str) -> str:
    """The page with the text between the two marks of this name."""
    begin, end = f"<!-- {mark} -->", f"<!-- /{mark} -->"
    before, _, rest = page.partition(begin)
    _, _, after = rest.partition(end)
    return f"{before}{begin}\n\n{text}\n{end}{after}"


def _results() -> dict[str, Any]:
    return json.loads(RESULTS.read_text()) if RESULTS.exists() else {}


def _row(values: dict[str, Any]) -> Row:
    fields: dict[str, Any] = {key: tuple(it) if isinstance(it, list) else it for key, it in values.items()}
    return Row(**fields)


def _circumstances() -> str:
    compose = _say("docker", "compose", "version", "--short")
    return (
        f"{date.today()}, Docker Compose {compose}, Python {platform.python_version()}, "
        f"{os.cpu_count()} cores, {platform.system()} {platform.machine()}; "
        f"load {os.getloadavg()[0]:.1f} at the end."
    )


def _say(*command: str) -> str:
    return subprocess.run(command, capture_output=True, text=True, check=True).stdout.strip()
