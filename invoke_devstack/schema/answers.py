"""What each task that answers prints with `--json`: the one declaration that the schemas, `docs/json.md` and
the tests are made from. A new task that answers gets its row here; `invoke docs.schema` writes the rest.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal

from invoke_devstack.schema.members import (
    ADDRESS,
    CLUSTER_TASK,
    COPY,
    FINDING,
    ORIGIN,
    PORT,
    PREPARED,
    REMOVED,
    RULE,
    SNAPSHOT,
    STACK,
    USED_VARIABLE,
)
from invoke_devstack.schema.shapes import (
    BOOLEAN,
    INTEGER,
    NUMBER,
    TEXT,
    Schema,
    Shape,
    any_of,
    by_name,
    nullable,
    one_of,
    record_of,
    several,
)
from invoke_devstack.schema.traces import TRACE, WHOLE_TRACE


@dataclass(frozen=True)
class Answer:
    """`members` are those of the object, or of each object in the array; `meaning` says what it is. Where it
    `is_open`, it has further members. `others` are what it is with certain flags instead, `exits` what an
    exit code means beside the usual."""

    form: Literal["array", "object", "text"]
    meaning: str
    members: Mapping[str, Shape] = field(default_factory=dict)
    is_open: bool = False
    others: tuple[Shape, ...] = ()
    exits: Mapping[int, str] = field(default_factory=dict)

    @property
    def schema(self) -> Schema:
        """The schema of the whole answer."""
        return any_of(self._usual(), *self.others).schema if self.others else self._usual().schema

    def _usual(self) -> Shape:
        if self.form == "text" or not (self.members or self.is_open):
            return several(TEXT) if self.form == "array" else TEXT
        item = record_of(self.members, is_open=self.is_open)
        return several(item) if self.form == "array" else item


ANSWERS: Mapping[str, Answer] = {
    "ps": Answer(
        "array",
        "a container; `ports` as those of `port`. Texts with `--quiet` and `--services`",
        {
            "service": TEXT,
            "container": TEXT,
            "id": TEXT,
            "image": TEXT,
            "state": TEXT,
            "health": TEXT,
            "exit_code": nullable(INTEGER),
            "ports": several(record_of(PORT)),
            "started_at": TEXT,
            "restarts": INTEGER,
            "note": TEXT,
        },
        others=(several(TEXT),),
    ),
    "port": Answer("array", "a published port", PORT),
    "urls": Answer("array", "an address to open or connect to", ADDRESS),
    "is-ready": Answer(
        "array",
        "a service, with what it lacks; the exit code is 1 if any is not ready",
        {"service": TEXT, "state": TEXT, "ready": BOOLEAN, "why": TEXT},
        exits={1: "a service is not ready"},
    ),
    "status": Answer(
        "object",
        "the whole stack: its services in natural order, the newest failure that a command met, and what "
        "`up` would do (`error` if it would fail). `mark` is good, busy, bad or quiet; `busy` says which "
        "command changes the stack now",
        {
            "project": TEXT,
            "services": several(
                record_of(
                    {
                        "service": TEXT,
                        "state": TEXT,
                        "mark": TEXT,
                        "addresses": several(TEXT),
                        "restarts": INTEGER,
                        "rebuild": nullable(
                            record_of({"what": TEXT, "at": TEXT, "seconds": nullable(NUMBER)})
                        ),
                    }
                )
            ),
            "failure": nullable(
                record_of(
                    {
                        "cause": TEXT,
                        "service": TEXT,
                        "hint": TEXT,
                        "command": TEXT,
                        "at": TEXT,
                        "over": BOOLEAN,
                    }
                )
            ),
            "up": record_of(
                {
                    "steps": several(record_of({"action": TEXT, "cause": TEXT, "service": TEXT})),
                    "error": TEXT,
                    "hint": TEXT,
                }
            ),
            "busy": TEXT,
        },
    ),
    "explain-failure": Answer(
        "object",
        "the newest failure; `failed` is false if there is none or it is `over` (the same has succeeded "
        "since); `command` met it, `next` shows more or tries again",
        {
            "failed": BOOLEAN,
            "cause": TEXT,
            "reason": TEXT,
            "service": TEXT,
            "evidence": several(TEXT),
            "hint": TEXT,
            "next": TEXT,
            "command": TEXT,
            "at": TEXT,
            "over": BOOLEAN,
        },
    ),
    "why": Answer(
        "array",
        "what one watch rule does when `path` changes: `rule` is the path it watches, `position` where it is "
        "written, `action` is `none` if it does nothing, and `why` says why not",
        RULE,
    ),
    "copies": Answer(
        "array",
        "an isolated copy, oldest first. `of` is the project it is a copy of; `state` is running, stopped, "
        "empty (no containers) or incomplete (its data is not in place); `expires_at` is empty if it stays "
        "until it is ended; `there`: whether `directory` exists on this machine; in `folder`, if it has one "
        "here, `invoke` acts on the copy",
        COPY,
    ),
    "copies.add": Answer(
        "object",
        "the new copy, which is up; `addresses` as `urls`",
        {
            "copy": TEXT,
            "project": TEXT,
            "expires_at": TEXT,
            "snapshot": TEXT,
            "folder": TEXT,
            "addresses": several(record_of(ADDRESS)),
        },
    ),
    "copies.end": Answer("object", "the copy that was ended", {"copy": TEXT, "project": TEXT}),
    "agents.init": Answer(
        "object",
        "what was written, or would be with `--dry-run`: the files (`change` is `add` where the section was "
        "added to a file that is there), and the section itself with an estimate of its `tokens`",
        {
            "files": several(record_of({"path": TEXT, "change": one_of("create", "add", "update", "none")})),
            "tokens": INTEGER,
            "text": TEXT,
            "written": BOOLEAN,
        },
    ),
    "graph": Answer(
        "array",
        "a service; `waits_for` maps the services it waits for to the condition",
        {"service": TEXT, "state": TEXT, "waits_for": by_name(TEXT)},
    ),
    "traces": Answer(
        "array",
        "a request through the stack, the newest first, as in [the dashboard's API](#traces); with an id, an "
        "object: that trace with its spans",
        TRACE,
        others=(record_of(WHOLE_TRACE),),
    ),
    "stacks": Answer(
        "array",
        "a project on the engine; `there`: its directory exists on this machine; with `--stop`, a text if it "
        "was stopped already, else nothing",
        STACK,
        others=(TEXT,),
    ),
    "volumes": Answer(
        "array",
        "a volume; `size` is null if it is unknown, `used_by` names services, `place` is where an anonymous "
        "one is mounted. With `--quiet`, the names",
        {
            "volume": TEXT,
            "size": nullable(INTEGER),
            "kind": one_of("named", "anonymous", "external"),
            "used_by": several(TEXT),
            "place": TEXT,
            "driver": TEXT,
        },
        others=(several(TEXT),),
    ),
    "ls": Answer("array", "the same; names with `--quiet`", STACK, others=(several(TEXT),)),
    "version": Answer(
        "object",
        "the versions of invoke-devstack, Invoke and Python",
        {"version": TEXT, "invoke": TEXT, "python": TEXT},
    ),
    "top": Answer(
        "array",
        "a process, with the other columns of the engine's `ps`",
        {"service": TEXT, "container": TEXT, "pid": TEXT, "cmd": TEXT},
        is_open=True,
    ),
    "stats": Answer(
        "array",
        "a container's usage, in bytes except `cpu_percent` and `pids`; null for one that does not run",
        {
            "service": TEXT,
            "container": TEXT,
            "cpu_percent": nullable(NUMBER),
            "memory": nullable(INTEGER),
            "memory_limit": nullable(INTEGER),
            "received": nullable(INTEGER),
            "sent": nullable(INTEGER),
            "read": nullable(INTEGER),
            "written": nullable(INTEGER),
            "pids": nullable(INTEGER),
        },
    ),
    "diff": Answer(
        "array",
        "a file that differs from the image: added, changed or deleted",
        {"change": TEXT, "path": TEXT},
    ),
    "wait": Answer(
        "array",
        "a container that exited",
        {"service": TEXT, "container": TEXT, "exit_code": INTEGER},
    ),
    "images": Answer(
        "array",
        "a service's image; `id` is null if it is not on the engine. With `--quiet`, the ids",
        {
            "service": TEXT,
            "image": TEXT,
            "id": nullable(TEXT),
            "size": nullable(INTEGER),
            "created_at": TEXT,
            "note": TEXT,
        },
        others=(several(TEXT),),
    ),
    "images.layers": Answer(
        "array",
        "a layer, newest first, and what else uses it",
        {
            "layer": TEXT,
            "size": INTEGER,
            "shared_by": several(TEXT),
            "also_in": several(TEXT),
            "instruction": TEXT,
        },
    ),
    "images.inspect": Answer(
        "object",
        "the image as the engine describes it: [ImageInspect](https://docs.docker.com/reference/api/engine/)",
        is_open=True,
    ),
    "inspect": Answer(
        "object",
        "the container as the engine describes it; values of variables that look secret are masked",
        is_open=True,
    ),
    "images.rm": Answer("array", "what was removed", REMOVED),
    "images.prune": Answer("array", "what was removed", REMOVED),
    "snapshot": Answer("object", "the new snapshot", SNAPSHOT),
    "snapshots": Answer("array", "a snapshot, oldest first", SNAPSHOT),
    "snapshots.export": Answer("object", "what was written", {"name": TEXT, "file": TEXT, "size": INTEGER}),
    "snapshots.import": Answer("object", "the new snapshot", SNAPSHOT),
    "deploy.diff": Answer("array", "a line of the plan, as `deploy --dry-run` prints it"),
    "deploy.status": Answer(
        "array",
        "a service on the cluster; `state` is healthy, done, waiting or failed; a task has `task`, `id`, "
        "`state`, `node`, `since`, `error`, and is a row of its own with `--tasks`",
        {
            "service": TEXT,
            "state": TEXT,
            "replicas": TEXT,
            "mode": TEXT,
            "image": TEXT,
            "nodes": TEXT,
            "ports": TEXT,
            "problem": TEXT,
            "tasks": several(record_of(CLUSTER_TASK)),
        },
        others=(several(record_of(CLUSTER_TASK)),),
    ),
    "deploy.history": Answer(
        "array",
        "a deploy that is kept, the newest first",
        {
            "deploy": INTEGER,
            "outcome": TEXT,
            "when": TEXT,
            "who": TEXT,
            "what": TEXT,
            "services": TEXT,
        },
    ),
    "deploy.export": Answer(
        "object",
        "what was written; a finding has `kind` (`translated`, `ignored`, `different`, `impossible`), "
        "`level` (`info`, `warning`, `error`), `key`, `file`, `line`, `text`, `hint`",
        {"directory": TEXT, "files": several(TEXT), "findings": several(record_of(FINDING))},
    ),
    "config": Answer(
        "object",
        "the definition as `docker compose config --format json` prints it; a list of texts with "
        "`--services` and similar flags, an array with `--explain` and `--variables`",
        is_open=True,
        others=(several(TEXT), several(record_of(ORIGIN)), several(record_of(USED_VARIABLE))),
    ),
    "env": Answer(
        "object",
        "variables and their values; with `--write`, the `file` and its `variables`",
        is_open=True,
        others=(record_of({"file": TEXT, "variables": several(TEXT)}),),
    ),
    "open": Answer("text", "the address"),
    "doctor": Answer(
        "array",
        "a check, like the event `doctor.check`; the exit code is 1 if any failed",
        {
            "name": TEXT,
            "state": one_of("ok", "warning", "failed"),
            "found": TEXT,
            "matters": TEXT,
            "fix": TEXT,
        },
        exits={1: "a check failed"},
    ),
    "init": Answer(
        "object",
        "what was found and written",
        {
            "found": record_of(PREPARED),
            "services": several(TEXT),
            "written": several(TEXT),
            "kept": several(TEXT),
        },
    ),
    "menu": Answer("array", "a task", {"group": TEXT, "task": TEXT, "help": TEXT}),
}
"""Full name of the task -> its answer. The name of a collection (`images`) is that of its default task."""
