"""Services that have data, and the saved copies of it."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from invoke_devstack.planning.bodies.mounts import volume_name
from invoke_devstack.running.session import Session
from invoke_devstack.running.snapshots import common, files

_PIECE = 1 << 16


def snapshots(session: Session) -> list[dict[str, Any]]:
    """`GET snapshots`, as `invoke snapshots --json`."""
    return [
        {
            "name": item.name,
            "service": item.service,
            "size": item.size,
            "created_at": item.created_at,
            "volumes": list(item.volumes),
        }
        for item in common.list_snapshots(session.engine, session.project)
    ]


def services_with_data(session: Session) -> list[dict[str, Any]]:
    """`GET data`: services with volumes that have a name."""
    definition = session.definition
    present = {item["Name"] for item in session.engine.list_volumes({})}
    found = []
    for service in definition.services.values():
        mounts = [item for item in service.volumes if item.type == "volume" and item.source]
        volumes = [(volume_name(definition, item.source or ""), item.target) for item in mounts]
        if volumes:
            rows = [
                {"name": name, "target": target, "exists": name in present, "size": None}
                for name, target in volumes
            ]
            resettable = any(row["exists"] for row in rows)
            found.append({"service": service.name, "volumes": rows, "resettable": resettable})
    return found


def exported(session: Session, name: str, service: str) -> Iterator[bytes]:
    """The file that `snapshots.export` writes, piece by piece. Raises UsageError at once."""
    folder = tempfile.TemporaryDirectory(prefix="devstack-export-")
    file = Path(folder.name) / "snapshot.tar"
    try:
        files.export(session, name, file, service)
    except BaseException:
        folder.cleanup()
        raise
    return _pieces(file, folder)


def _pieces(file: Path, folder: tempfile.TemporaryDirectory[str]) -> Iterator[bytes]:
    with folder, file.open("rb") as opened:
        while piece := opened.read(_PIECE):
            yield piece
