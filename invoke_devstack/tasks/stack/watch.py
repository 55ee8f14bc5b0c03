"""`invoke watch`."""

from __future__ import annotations

from typing import TYPE_CHECKING

from invoke_devstack.tasks.declare import task
from invoke_devstack.tasks.flags import not_empty
from invoke_devstack.tasks.hosts import Hosts, on_host_now
from invoke_devstack.tasks.tracing import as_it_traces

if TYPE_CHECKING:
    from invoke_devstack.tasks.work import Work


@task(
    "watch",
    json="events",
    flags={"apply_definitions": "Also apply changes of the Compose files, instead of reporting them."},
    explains=True,
)
def watch(work: Work, service: tuple[str, ...] = (), apply_definitions: bool = False) -> None:
    """Update running services when files change."""
    from invoke_devstack.running import watch as watching
    from invoke_devstack.tasks.attached.notifying import notifying

    hosts = Hosts(work, on_host_now(work))
    tracing = as_it_traces(work)
    options = watching.WatchOptions(
        services=work.services(service),
        apply_definitions=apply_definitions,
        reload=lambda: tracing.to(hosts.reload()),
    )
    with work.session(tracing.applied(hosts.prepared())) as session, notifying(work):
        watching.watch(session, options)


@task("why", json="answer", flags={"path": "A file or a directory, which need not exist."})
def why(work: Work, path: str) -> None:
    """Show what the watch does when a file changes.

    A row for each rule that could apply: its action, or what prevents it.
    """
    from invoke_devstack.running.watch import decisions

    not_empty("path", path)
    rows: list[dict[str, object]] = [{**row} for row in decisions.why(work.definition, path)]
    work.table("decisions", ("path", "service", "rule", "position", "action", "why"), rows, "")
