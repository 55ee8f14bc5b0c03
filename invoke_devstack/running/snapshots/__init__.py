"""Snapshots of a service's data, kept in the engine. What the tasks call (`planning.plans.snapshots`
describes a snapshot):

- `taking.take(session, service, name="") -> Snapshot`
- `common.list_snapshots(engine, project) -> tuple[Snapshot, ...]`
- `restoring.restore(session, service, name) -> None`
- `resetting.resettable(session, services) -> tuple[str, ...]`
- `resetting.reset(session, services) -> tuple[Snapshot, ...]`
- `taking.remove(session, name, service="") -> Snapshot`
- `files.export(session, name, file, service="")`, `files.import_(session, file, name="", service="")`
"""
