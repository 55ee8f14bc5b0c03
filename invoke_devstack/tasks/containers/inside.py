"""Tasks that run something in a container, or copy files: exec, run, shell, connect, cp."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from invoke_devstack.errors import CommandExited, UsageError
from invoke_devstack.tasks.declare import task
from invoke_devstack.tasks.flags import at_most_one, choice, numbered
from invoke_devstack.tasks.tracing import as_it_traces

if TYPE_CHECKING:
    from invoke_devstack.tasks.work import Work

_BEST_SHELL = "for shell in bash ash; do command -v $shell >/dev/null && exec $shell; done; exec sh"
_EXEC_FLAGS = {
    "user": "Run as this user name or uid.",
    "workdir": "Working directory in the container.",
    "env": "A variable as KEY=VALUE; repeatable.",
    "no_tty": "Do not allocate a terminal.",
    "interactive": "Accepted because docker has it: stdin is always connected.",
    "tty": "Accepted because docker has it: the default on a terminal.",
    "command": "The command as one text, instead of words after the service.",
    "detach": "Return at once and leave the command running.",
}
_INDEX_HELP = "The container with this number, as `web.2` says it too."
_EXEC_SHORTS = {
    "user": "u",
    "workdir": "w",
    "env": "e",
    "no_tty": "T",
    "interactive": "i",
    "tty": "t",
    "detach": "d",
}


@task(
    "exec",
    shorts=_EXEC_SHORTS,
    flags={
        **_EXEC_FLAGS,
        "privileged": "Give the command all privileges of the engine's machine.",
        "index": _INDEX_HELP,
    },
    runs_command=True,
    explains=True,
    takes_command=True,
)
def exec_(
    work: Work,
    service: str,
    user: str = "",
    workdir: str = "",
    env: tuple[str, ...] = (),
    no_tty: bool = False,
    interactive: bool = False,
    tty: bool = False,
    detach: bool = False,
    privileged: bool = False,
    index: str = "",
    command: str = "",
) -> None:
    """Run a command: `exec web ls /tmp`.

    The exit code is the command's. The command has a terminal if you have one: not in CI or a pipe.
    """
    from invoke_devstack.running.inside.exec import execute
    from invoke_devstack.running.options import ExecOptions
    from invoke_devstack.tasks.command_line.commands import words_of_command

    at_most_one(tty=tty, no_tty=no_tty)
    words = words_of_command(work.context, command)
    if not service:
        raise UsageError("empty service name", hint="Write `invoke exec web ls`.")
    if not words:
        raise UsageError(
            "no command given",
            hint=f"Put it last: `invoke exec {service} ls`. For a shell: `invoke shell {service}`.",
        )
    options = ExecOptions(
        service=work.service(numbered(service, index)),
        command=words,
        tty=False if no_tty else None,
        user=user,
        working_dir=workdir,
        environment=tuple(env),
        privileged=privileged,
        detached=detach,
    )
    with work.session() as session:
        _exit_with(execute(session, options))


@task(
    "run",
    runs_command=True,
    gathers=True,
    shorts={**_EXEC_SHORTS, "publish": "p", "volume": "v", "label": "l", "service_ports": "P"},
    flags={
        **_EXEC_FLAGS,
        "volume": "A mount as SOURCE:TARGET[:ro]; repeatable.",
        "publish": "A port as [HOST:]CONTAINER; repeatable.",
        "entrypoint": 'Run this instead; words after `--` are its arguments. "": none.',
        "no_deps": "Do not start dependencies.",
        "name": "A name for the container.",
        "service_ports": "Also publish the service's own ports.",
        "use_aliases": "Let others find it under the service's name, beside the service.",
        "build": "Build the image first.",
        "pull": "`always`, `missing` or `never`, instead of `pull_policy`.",
        "env_from_file": "A file of variables; repeatable.",
        "label": "A label as KEY=VALUE; repeatable.",
        "cap_add": "A capability to add; repeatable.",
        "cap_drop": "A capability to drop; repeatable.",
        "remove_orphans": "Remove containers of services that are no longer in the Compose files.",
    },
    explains=True,
    takes_command=True,
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
    entrypoint: str | None = None,
    no_deps: bool = False,
    name: str = "",
    service_ports: bool = False,
    use_aliases: bool = False,
    build: bool = False,
    pull: str = "",
    env_from_file: tuple[str, ...] = (),
    label: tuple[str, ...] = (),
    cap_add: tuple[str, ...] = (),
    cap_drop: tuple[str, ...] = (),
    remove_orphans: bool = False,
    detach: bool = False,
    interactive: bool = False,
    tty: bool = False,
    command: str = "",
) -> None:
    """Run in a new container: `run web pytest -q`.

    The container is removed afterwards. Without a command, runs the service's own. The exit code is the
    command's.
    """
    from invoke_devstack.running.inside import one_off
    from invoke_devstack.running.options import RunOptions
    from invoke_devstack.tasks.command_line.commands import words_in, words_of_command

    at_most_one(tty=tty, no_tty=no_tty)
    options = RunOptions(
        service=work.service(service),
        command=words_of_command(work.context, command),
        tty=False if no_tty else None,
        user=user,
        working_dir=workdir,
        environment=(*_from_files(env_from_file), *env),
        volumes=tuple(volume),
        publish=tuple(publish),
        entrypoint=None if entrypoint is None else words_in("entrypoint", entrypoint),
        dependencies=not no_deps,
        detached=detach,
        build=build,
        pull=choice("pull", pull, ("always", "missing", "never")) if pull else "",
        remove_orphans=remove_orphans,
        name=name,
        labels=tuple(label),
        cap_add=tuple(cap_add),
        cap_drop=tuple(cap_drop),
        service_ports=service_ports,
        use_aliases=use_aliases,
    )
    with work.session(as_it_traces(work).applied(None)) as session:
        _exit_with(one_off.run(session, options))


@task("shell", shorts={"user": "u"}, flags={"user": _EXEC_FLAGS["user"]}, runs_command=True, explains=True)
def shell(work: Work, service: str, user: str = "") -> None:
    """Open a shell in a service."""
    _open(work, service, _BEST_SHELL, user=user)


@task("connect", runs_command=True, explains=True)
def connect(work: Work, service: str) -> None:
    """Open a database client, already logged in.

    For redis, valkey, mysql, mariadb, postgres and mongo.
    """
    from invoke_devstack.planning.known_images import KNOWN_IMAGES, known_image
    from invoke_devstack.running.selection import split_number

    definition = work.definition
    name, _ = split_number(definition, work.service(service))
    known = definition.all_services
    image = known_image(known[name].image_name(definition.name))
    if image is None or not image.client:
        clients = ", ".join(key for key, item in KNOWN_IMAGES.items() if item.client)
        raise UsageError(
            f"no known database client for the image of `{name}`",
            hint=f"Known: {clients}. For a shell: `invoke shell {name}`.",
        )
    _open(work, service, image.client)


def _open(work: Work, service: str, script: str, *, user: str = "") -> None:
    from invoke_devstack.running.inside.exec import execute
    from invoke_devstack.running.options import ExecOptions

    options = ExecOptions(service=work.service(service), command=("/bin/sh", "-c", script), user=user)
    with work.session() as session:
        _exit_with(execute(session, options))


@task(
    "cp",
    explains=True,
    runs_command=True,
    shorts={"archive": "a", "follow_link": "L"},
    flags={
        "source": "What to copy: `SERVICE:PATH`, a path on this machine, or `-`.",
        "destination": "Where to: the same kinds of place. Exactly one of both is in a service.",
        "index": "Only the container with this number. Default: out of the first, into all.",
        "archive": "Into a container, files keep the ids of their owners. Else root owns them.",
        "follow_link": "If the source is a link, copy what it leads to.",
        "all_": "Containers of `run` too.",
    },
)
def cp(
    work: Work,
    source: str,
    destination: str,
    index: str = "",
    archive: bool = False,
    follow_link: bool = False,
    all_: bool = False,
) -> None:
    """Copy files: `cp web:/log .`, `cp a.sql db:/tmp`.

    `-` is a tar archive: `cp web:/log - > log.tar`, `cp - web:/tmp < log.tar`.
    """
    from invoke_devstack.running.inside.copy import CopyOptions, copy

    options = CopyOptions(follow_link=follow_link, keep_owners=archive, with_one_offs=all_)
    with work.session() as session:
        copy(session, _in_container(source, index), _in_container(destination, index), options)


def _in_container(place: str, index: str) -> str:
    """`web:/log` in the container with the number `index` is `web.2:/log`. Paths of this machine stay."""
    service, colon, path = place.partition(":")
    return f"{numbered(service, index)}:{path}" if colon and "/" not in service else place


def _from_files(paths: Sequence[str]) -> tuple[str, ...]:
    """The variables in env files, as `NAME=value`. Raises UsageError for a file that does not exist."""
    import os
    from pathlib import Path

    from invoke_devstack.definition.syntax.dotenv import read_env_file

    found: dict[str, str] = {}
    for path in paths:
        if not Path(path).is_file():
            raise UsageError(f"no such file for `--env-from-file`: {path}")
        found |= read_env_file(Path(path), os.environ.get)
    return tuple(f"{name}={value}" for name, value in found.items())


def _exit_with(code: int) -> None:
    if code:
        raise CommandExited(code)
