"""What was done to the stack, by whatever command: read from the journal, also while it goes on."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from invoke_devstack.dashboard.hub import Hub
from invoke_devstack.dashboard.watching.stack import Stack
from invoke_devstack.running.journal import KEPT, Written, folder_of, read_run

_LOOK = 0.5  # seconds between two looks at the folder
_CHANGING = frozenset({"create", "start", "restart", "stop", "kill", "pause", "unpause", "remove", "build"})
Shown = dict[str, Any]


class Activity:
    """Looks from `start` to `stop`."""

    def __init__(self, directory: Path, hub: Hub, stack: Stack) -> None:
        self._folder = folder_of(directory)
        self._hub = hub
        self._stack = stack
        self._stopped = threading.Event()
        self._seen: dict[str, tuple[int, int]] = {}
        self._runs: dict[str, Written] = {}
        self._lock = threading.Lock()

    def start(self) -> None:
        self._look()
        threading.Thread(target=self._run, name="activity", daemon=True).start()

    def stop(self) -> None:
        self._stopped.set()

    def summaries(self) -> list[Shown]:
        """`GET activity`: newest first."""
        with self._lock:
            runs = sorted(self._runs.values(), key=lambda item: item.head.began, reverse=True)
        return [summary(run) for run in runs[:KEPT]]

    def whole(self, run: str) -> Shown | None:
        """`GET activity/RUN`."""
        with self._lock:
            found = self._runs.get(run)
        return whole(found) if found else None

    def _run(self) -> None:
        while not self._stopped.wait(_LOOK):
            for name in self._look():
                self._hub.tell("run", summary(self._runs[name]))

    def _look(self) -> list[str]:
        """Reads what is new. Returns the names of changed runs."""
        changed = []
        present = dict(self._files())
        for path, stamp in present.items():
            if self._seen.get(path.stem) != stamp and (run := read_run(path)) is not None:
                self._seen[path.stem] = stamp
                with self._lock:
                    self._runs[path.stem] = run
                changed.append(path.stem)
        names = {path.stem for path in present}
        with self._lock:
            self._runs = {name: run for name, run in self._runs.items() if name in names}
        if changed:
            self._learn_causes()
        return changed

    def _files(self) -> Iterator[tuple[Path, tuple[int, int]]]:
        try:
            for path in self._folder.glob("*.jsonl"):
                state = path.stat()
                yield path, (state.st_mtime_ns, state.st_size)
        except OSError:
            return

    def _learn_causes(self) -> None:
        causes: dict[str, Shown] = {}
        with self._lock:
            runs = sorted(self._runs.values(), key=lambda item: item.head.began)
        for run in runs:
            causes |= _causes(run)
        if causes != self._stack.causes:
            self._stack.causes = causes
            self._stack.tell_causes()


def _causes(run: Written) -> dict[str, Shown]:
    """Service -> why it was changed. The first step of each has the reason; later ones follow from it."""
    found: dict[str, Shown] = {}
    for at, event in run.events:
        if event["type"] == "action.started" and event["action"] in _CHANGING and event["service"]:
            found.setdefault(
                event["service"],
                {
                    "action": event["action"],
                    "cause": event["cause"],
                    "kind": event["cause_kind"],
                    "at": _moment(run.head.began + at),
                    "run": run.head.run,
                },
            )
    return found


def summary(run: Written) -> Shown:
    """A run in a list."""
    failures = [event for _, event in run.events if event["type"] in ("error", "watch.failed")]
    started = sum(event["type"] == "action.started" for _, event in run.events)
    return {
        "run": run.head.run,
        "task": run.head.task,
        "command": run.head.command,
        "services": list(run.head.services),
        "began": _moment(run.head.began),
        "seconds": run.ended,
        "state": _state(run),
        "changed": bool(started),
        "actions": started,
        "error": failures[-1]["error"] if failures else "",
        "from": run.head.origin,
    }


def _state(run: Written) -> str:
    if run.exit_code is None:
        return "running" if _is_alive(run.head.pid) else "interrupted"
    if run.exit_code == 0:
        return "ok"
    return "interrupted" if run.exit_code > 128 else "failed"


def _is_alive(pid: int) -> bool:
    import psutil

    return bool(psutil.pid_exists(pid))


def whole(run: Written) -> Shown:
    """All of a run: its plan, a bar for each action, and how it ended."""
    events = [event for _, event in run.events]
    plans = [event for event in events if event["type"] == "plan"]
    errors = [event for event in events if event["type"] in ("error", "watch.failed")]
    return {
        **summary(run),
        "plan": [line for plan in plans for line in plan["lines"]],
        "bars": _bars(run),
        "ready": [_ready(event) for event in events if event["type"] == "service.ready"],
        "failure": errors[-1] if errors else None,
        "notices": [event["text"] for event in events if event["type"] == "notice"],
        "files": [file for event in events if event["type"] == "watch.changed" for file in event["files"]],
        "turns": [event for event in events if event["type"] in ("watch.synced", "watch.rebuilt")],
    }


def _ready(event: Shown) -> Shown:
    return {name: event[name] for name in ("service", "seconds", "state")}


def _bars(run: Written) -> list[Shown]:
    bars: dict[tuple[str, str], Shown] = {}
    done: list[Shown] = []
    for at, event in run.events:
        key = (event.get("action", ""), event.get("target", ""))
        if event["type"] == "action.started":
            bars[key] = _bar(at, event)
            done.append(bars[key])
        elif event["type"] in ("action.finished", "action.failed") and key in bars:
            _end_bar(bars[key], at, event)
    if run.exit_code is not None:
        for bar in done:
            if bar["state"] == "running":
                bar |= {"state": "interrupted", "end": run.ended}
    return done


def _bar(at: float, event: Shown) -> Shown:
    names = ("action", "target", "service", "cause", "cause_kind")
    empty: Shown = {"start": at, "end": None, "state": "running", "text": "", "error": "", "details": []}
    return {**{name: event[name] for name in names}, **empty}


def _end_bar(bar: Shown, at: float, event: Shown) -> None:
    failed = event["type"] == "action.failed"
    bar["end"] = at
    bar["state"] = "failed" if failed else "skipped" if event["skipped"] else "ok"
    bar["text"] = event.get("text", "")
    bar["error"] = event.get("error", "")


def _moment(seconds: float) -> str:
    return datetime.fromtimestamp(seconds, UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
