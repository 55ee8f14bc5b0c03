"""Members of objects that more than one answer has, or that are long."""

from __future__ import annotations

from invoke_devstack.schema.shapes import (
    ANYTHING,
    BOOLEAN,
    INTEGER,
    TEXT,
    by_name,
    nullable,
    one_of,
    record_of,
    several,
)

PORT = {
    "container_port": INTEGER,
    "protocol": TEXT,
    "host_ip": TEXT,
    "host_port": INTEGER,
}
STACK = {
    "stack": TEXT,
    "running": INTEGER,
    "containers": INTEGER,
    "ports": several(INTEGER),
    "volumes": several(TEXT),
    "images": several(TEXT),
    "directory": TEXT,
    "there": BOOLEAN,
}
SNAPSHOT = {
    "name": TEXT,
    "service": TEXT,
    "size": INTEGER,
    "created_at": TEXT,
    "volumes": several(TEXT),
}
REMOVED = {"removed": TEXT, "image": TEXT}
CLUSTER_TASK = {"task": TEXT, "id": TEXT, "state": TEXT, "node": TEXT, "since": TEXT, "error": TEXT}
FINDING = {
    "kind": one_of("translated", "ignored", "different", "impossible"),
    "level": one_of("info", "warning", "error"),
    "key": TEXT,
    "file": nullable(TEXT),
    "line": nullable(INTEGER),
    "text": TEXT,
    "hint": TEXT,
}
PREPARED = {
    "framework": TEXT,
    "dockerfile": BOOLEAN,
    "compose": TEXT,
    "processes": by_name(TEXT),
    "applications": by_name(TEXT),
}
VARIABLE = {"name": TEXT, "value": TEXT, "source": TEXT}
ORIGIN = {
    "key": TEXT,
    "value": ANYTHING,
    "position": TEXT,
    "raw": TEXT,
    "variables": several(record_of(VARIABLE)),
    "overridden": several(TEXT),
    "unused": several(TEXT),
}
USED_VARIABLE = {
    "variable": TEXT,
    "required": BOOLEAN,
    "default": TEXT,
    "alternative": TEXT,
    "set_by": TEXT,
}
RULE = {
    "path": TEXT,
    "service": TEXT,
    "rule": TEXT,
    "position": TEXT,
    "action": TEXT,
    "why": TEXT,
}
COPY = {
    "copy": TEXT,
    "project": TEXT,
    "of": TEXT,
    "state": one_of("running", "stopped", "empty", "incomplete"),
    "running": INTEGER,
    "containers": INTEGER,
    "created_at": TEXT,
    "expires_at": TEXT,
    "snapshot": TEXT,
    "directory": TEXT,
    "folder": TEXT,
    "there": BOOLEAN,
}
ADDRESS = {"service": TEXT, "address": TEXT}
