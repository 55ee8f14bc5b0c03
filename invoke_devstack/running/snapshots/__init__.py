"""Snapshots of a service's data inside the engine: taken, listed, put back, moved, removed.

What the tasks call; a snapshot is described in `planning.snapshots`:

- `taking.take(session, service, name="") -> Snapshot`
- `common.every(engine, project) -> tuple[Snapshot, ...]`
- `restoring.restore(session, service, name) -> None`
- `resetting.resettable(session, services) -> tuple[str, ...]`
- `resetting.reset(session, services) -> tuple[Snapshot, ...]`
- `taking.remove(session, name, service="") -> Snapshot`
- `files.export(session, name, file, service="")`, `files.import_(session, file, name="", service="")`
"""
