"""Inside the containers: exec, run, shell, connect, cp."""

from __future__ import annotations

from typing import TYPE_CHECKING

from invoke_devstack.errors import CommandExited, UsageError
from invoke_devstack.tasks import values
from invoke_devstack.tasks.command import command

if TYPE_CHECKING:
    from invoke_devstack.tasks.context import Work

_BEST_SHELL = "for shell in bash ash; do command -v $shell >/dev/null && exec $shell; done; exec sh"
_RUNS_AS = {
    "user": "Run as this user or uid.",
    "workdir": "Run in this directory.",
    "env": "A variable, as KEY=VALUE; may be repeated.",
    "no_tty": "Without a terminal, even where there is one.",
    "interactive": "Docker's flag, and always so here: the command reads what is typed or piped in.",
    "tty": "Docker's flag, and the default here on a terminal.",
}
_RUNS_AS_SHORTS = {
    "user": "u",
    "workdir": "w",
    "env": "e",
    "no_tty": "T",
    "interactive": "i",
    "tty": "t",
}


@command("exec", shorts=_RUNS_AS_SHORTS, flags=_RUNS_AS)
def exec_(
    work: Work,
    service: str,
    user: str = "",
    workdir: str = "",
    env: tuple[str, ...] = (),
    no_tty: bool = False,
    interactive: bool = False,
    tty: bool = False,
    explain: bool = False,
) -> None:
    """Run a command in a service: `exec web -- ls /tmp`.

    Its exit code is the task's. With a pipe or in CI there is no terminal; on one there is.
    """
    from invoke_devstack.running.interactive import execute
    from invoke_devstack.running.options import ExecOptions
    from invoke_devstack.tasks.context import words_after_dashes

    values.at_most_one(tty=tty, no_tty=no_tty)
    words = words_after_dashes(work.context)
    if not words:
        raise UsageError(
            "there is no command to run",
            hint=f"Put it after `--`: `invoke exec {service} -- ls`. For a shell: `invoke shell {service}`.",
        )
    options = ExecOptions(
        service=work.service(service),
        command=words,
        tty=False if no_tty else None,
        user=user,
        working_dir=workdir,
        environment=tuple(env),
    )
    with work.session(explain=explain) as session:
        _end_with(execute(session, options))


@command(
    "run",
    shorts={**_RUNS_AS_SHORTS, "publish": "p", "volume": "v"},
    flags={
        **_RUNS_AS,
        "volume": "A mount, as SOURCE:TARGET[:ro]; may be repeated.",
        "publish": "A port, as [HOST:]CONTAINER; may be repeated.",
        "entrypoint": "Another program in place of the image's; the words after `--` are its arguments.",
        "no_deps": "Do not start what the service depends on.",
    },
)
def run(
    work: Work,
    service: str,
    user: str = "",
    workdir: str = "",
    env: tuple[str, ...] = (),
    no_tty: bool = False,
    volume: tuple[str, ...] = (),
    publish: tuple[str, ...] = (),
    entrypoint: str = "",
    no_deps: bool = False,
    interactive: bool = False,
    tty: bool = False,
    explain: bool = False,
) -> None:
    """Run a command in a new container: `run web -- pytest`.

    The container is removed afterwards. Without a command it is the service's own. The exit code is
    the command's.
    """
    from invoke_devstack.running import oneoff
    from invoke_devstack.running.options import RunOptions
    from invoke_devstack.tasks.context import words_after_dashes

    values.at_most_one(tty=tty, no_tty=no_tty)
    options = RunOptions(
        service=work.service(service),
        command=words_after_dashes(work.context),
        tty=False if no_tty else None,
        user=user,
        working_dir=workdir,
        environment=tuple(env),
        volumes=tuple(volume),
        publish=tuple(publish),
        entrypoint=entrypoint,
        dependencies=not no_deps,
    )
    with work.session(explain=explain) as session:
        _end_with(oneoff.run(session, options))


@command("shell", shorts={"user": "u"}, flags={"user": _RUNS_AS["user"]})
def shell(work: Work, service: str, user: str = "", explain: bool = False) -> None:
    """Open a shell in a service: the best that is there."""
    _open(work, service, _BEST_SHELL, user=user, explain=explain)


@command("connect")
def connect(work: Work, service: str, explain: bool = False) -> None:
    """Open a database's client, logged in.

    For redis, valkey, mysql, mariadb, postgres and mongo.
    """
    from invoke_devstack.planning.known_images import KINDS, kind_of
    from invoke_devstack.running.choosing import split_number

    definition = work.definition
    name, _ = split_number(definition, work.service(service))
    known = {**definition.disabled_services, **definition.services}
    kind = kind_of(known[name].image_name(definition.name))
    if kind is None or not kind.client:
        clients = ", ".join(key for key, item in KINDS.items() if item.client)
        raise UsageError(
            f"no client is known for the image of `{name}`",
            hint=f"There are clients for {clients}. For a shell: `invoke shell {name}`.",
        )
    _open(work, service, kind.client, explain=explain)


def _open(work: Work, service: str, script: str, *, user: str = "", explain: bool) -> None:
    from invoke_devstack.running import interactive
    from invoke_devstack.running.options import ExecOptions

    options = ExecOptions(service=work.service(service), command=("/bin/sh", "-c", script), user=user)
    with work.session(explain=explain) as session:
        _end_with(interactive.execute(session, options))


@command("cp")
def cp(work: Work, source: str, destination: str, explain: bool = False) -> None:
    """Copy files: `cp web:/app/log .`, `cp a.sql db:/tmp/`."""
    from invoke_devstack.running import copying

    with work.session(explain=explain) as session:
        copying.copy(session, source, destination)


def _end_with(code: int) -> None:
    if code:
        raise CommandExited(code)
