"""Tasks about a stack that is on the cluster."""

from __future__ import annotations

from typing import TYPE_CHECKING

from invoke_devstack.tasks.declare import task
from invoke_devstack.tasks.deploying.common import COMMON
from invoke_devstack.tasks.flags import count

if TYPE_CHECKING:
    from invoke_devstack.tasks.work import Work


@task("status", json="answer", flags={**COMMON, "tasks": "A row for each task."})
def status(work: Work, to: str = "", stack: str = "", tasks: bool = False) -> None:
    """List services, nodes, and what is wrong."""
    from invoke_devstack.deploying import status as cluster_status
    from invoke_devstack.events import Notice
    from invoke_devstack.tasks.deploying.common import on_cluster

    with on_cluster(work, to, stack) as (cluster, _):
        observed = cluster.observe()
        for note in cluster_status.notes(cluster, observed):
            work.tell(Notice(text=note, level="warning"))
        rows = cluster_status.task_rows(observed) if tasks else cluster_status.services(observed)
        columns = cluster_status.TASK_COLUMNS if tasks else cluster_status.COLUMNS
        work.table("services", columns, rows, f"{cluster.stack} is not deployed")


@task("history", json="answer", flags=COMMON)
def history(work: Work, to: str = "", stack: str = "") -> None:
    """List deploys that `deploy.rollback` can go back to."""
    from invoke_devstack.deploying import status as cluster_status
    from invoke_devstack.tasks.deploying.common import on_cluster

    with on_cluster(work, to, stack) as (cluster, _):
        rows = cluster_status.history(cluster.observe())
        work.table("deploys", cluster_status.HISTORY_COLUMNS, rows, f"no deploy of {cluster.stack} is kept")


@task("down", json="events", flags=COMMON)
def down(work: Work, to: str = "", stack: str = "", yes: bool = False) -> None:
    """Remove the stack; keep volumes. Asks first."""
    from invoke_devstack.deploying.down import take_down
    from invoke_devstack.tasks.deploying.common import confirm_plan, on_cluster

    with on_cluster(work, to, stack) as (cluster, session):
        take_down(cluster, session, lambda plan: confirm_plan(work, plan, yes=yes))


@task(
    "logs",
    json="events",
    prints=True,
    shorts={"follow": "f", "tail": "n", "timestamps": "t"},
    flags={
        **COMMON,
        "follow": "Keep printing new lines until Ctrl-C.",
        "tail": "Only the last N lines of each task.",
        "timestamps": "Start each line with its time.",
    },
)
def logs(
    work: Work,
    to: str = "",
    stack: str = "",
    service: tuple[str, ...] = (),
    follow: bool = False,
    tail: str = "",
    timestamps: bool = False,
) -> None:
    """Print logs from all nodes, merged by time."""
    from invoke_devstack.deploying.logs import LogRange, show
    from invoke_devstack.tasks.declare import split_names
    from invoke_devstack.tasks.deploying.common import on_cluster

    wanted = LogRange(split_names(service), follow, count("tail", tail, word="all"), "", timestamps)
    with on_cluster(work, to, stack) as (cluster, session):
        show(cluster, session, wanted)


@task(
    "init",
    json="events",
    flags={
        "to": COMMON["to"],
        "join": "The Docker context of an engine that is to join; repeatable.",
        "address": "The manager's address for the other nodes, where it has several.",
    },
)
def init(work: Work, to: str = "", join: tuple[str, ...] = (), address: str = "", yes: bool = False) -> None:
    """Make a swarm, or have engines join it. Asks first."""
    from invoke_devstack.deploying.joining import make_swarm
    from invoke_devstack.tasks.declare import split_names
    from invoke_devstack.tasks.deploying.common import confirm, engine_of

    manager = engine_of(work, to)
    workers = [(name, engine_of(work, name)) for name in split_names(join)]
    make_swarm(
        manager,
        workers,
        address=address,
        confirm=lambda question: confirm(work, question, yes=yes),
        emit=work.tell,
    )
