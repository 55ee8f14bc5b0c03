"""`invoke deploy.exec`: a command in a task of a stack that is on the cluster."""

from __future__ import annotations

from typing import TYPE_CHECKING

from invoke_devstack.errors import CommandExited, UsageError
from invoke_devstack.tasks.declare import task
from invoke_devstack.tasks.deploying.common import COMMON

if TYPE_CHECKING:
    from invoke_devstack.tasks.work import Work


@task(
    "exec",
    shorts={"user": "u", "workdir": "w", "env": "e", "no_tty": "T"},
    flags={
        **COMMON,
        "user": "Run as this user name or uid.",
        "workdir": "Working directory in the container.",
        "env": "A variable as KEY=VALUE; repeatable.",
        "no_tty": "Do not allocate a terminal.",
        "command": "The command as one text, instead of words after the service.",
    },
    runs_command=True,
    explains=True,
    takes_command=True,
)
def exec_(
    work: Work,
    service: str,
    to: str = "",
    stack: str = "",
    user: str = "",
    workdir: str = "",
    env: tuple[str, ...] = (),
    no_tty: bool = False,
    command: str = "",
) -> None:
    """Run a command in a task: `deploy.exec web ls`.

    In the newest running task, or in that of the second replica: `web.2`. Where it runs on another node than
    the manager, a Docker context must reach that node. The exit code is the command's.
    """
    from dataclasses import replace

    from invoke_devstack.planning.deploys.choosing import container_of, running_task
    from invoke_devstack.running.inside.exec import execute_in
    from invoke_devstack.running.options import ExecOptions
    from invoke_devstack.tasks.command_line.commands import words_of_command
    from invoke_devstack.tasks.deploying.common import on_cluster

    words = words_of_command(work.context, command)
    if not words:
        raise UsageError("no command given", hint=f"Put it last: `invoke deploy.exec {service} ls`.")
    options = ExecOptions(
        service=service,
        command=words,
        tty=False if no_tty else None,
        user=user,
        working_dir=workdir,
        environment=env,
    )
    with on_cluster(work, to, stack) as (cluster, session):
        observed = cluster.observe()
        found = running_task(observed, service)
        container = container_of(found)
        engine = cluster.engine_at(str(found["NodeID"]), observed.node_name(found))
        code = execute_in(replace(session, engine=engine), container, container[:12], options)
    if code:
        raise CommandExited(code)
