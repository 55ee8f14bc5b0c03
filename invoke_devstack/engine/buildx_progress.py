"""Reads what buildx tells of a build, as JSON (buildx 0.13 and later) or as plain text."""

from __future__ import annotations

import base64
import json
import re
from collections.abc import Mapping
from typing import Any

from invoke_devstack.engine.build_failures import BuildLog

_STEP = re.compile(r"\[(?P<place>(?:\S+ )?\d+/\d+)\] (?P<instruction>.*)", re.DOTALL)
_PLAIN = re.compile(r"#(?P<key>\d+) (?P<text>.*)")


class JsonProgress:
    """Lines of `--progress=rawjson`: BuildKit's SolveStatus, vertices being steps."""

    def __init__(self, log: BuildLog) -> None:
        self._log = log
        self._steps: set[str] = set()
        self._begun: set[str] = set()

    def read(self, line: str) -> bool:
        """False for a line that is none of these."""
        if not line.startswith("{"):
            return False
        try:
            status: Mapping[str, Any] = json.loads(line)
        except ValueError:
            return False
        for vertex in status.get("vertexes") or ():
            self._read_vertex(vertex)
        for entry in status.get("logs") or ():
            if entry["vertex"] in self._steps:
                self._log.output(entry["vertex"], base64.b64decode(entry["data"]).decode("utf-8", "replace"))
        for entry in status.get("statuses") or ():
            if entry.get("total"):
                self._log.tell(entry["id"][:19], f"{entry.get('current', 0)} of {entry['total']} bytes")
        return True

    def _read_vertex(self, vertex: Mapping[str, Any]) -> None:
        key = vertex["digest"]
        step = _STEP.match(vertex.get("name", ""))
        if step:
            self._steps.add(key)
            self._log.plan(key, step["place"], step["instruction"])
            if vertex.get("cached"):
                self._log.cached(key)
            elif "started" in vertex and key not in self._begun:
                self._begun.add(key)
                self._log.begin(key)
        if vertex.get("error"):
            self._log.fail(key, vertex["error"], vertex.get("name", ""))


class PlainProgress:
    """Lines of `--progress=plain`: `#5 [2/4] RUN make`, `#5 0.31 output`, `#5 CACHED`, `#5 ERROR: …`."""

    def __init__(self, log: BuildLog) -> None:
        self._log = log
        self._steps: set[str] = set()
        self._names: dict[str, str] = {}

    def read(self, line: str) -> bool:
        match = _PLAIN.match(line)
        if not match:
            return not line.strip()
        key, text = match["key"], match["text"].rstrip()
        self._names.setdefault(key, text)
        step = _STEP.match(text)
        if step:
            self._steps.add(key)
            self._log.plan(key, step["place"], step["instruction"])
            self._log.begin(key)
        elif text.startswith("ERROR: "):
            self._log.fail(key, text.removeprefix("ERROR: "), self._names[key])
        elif key not in self._steps or text.startswith("DONE "):
            return True
        elif text == "CACHED":
            self._log.cached(key)
        else:
            self._log.output(key, re.sub(r"^\d+\.\d+ ", "", text))
        return True
