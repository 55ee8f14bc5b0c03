"""The `docker` commands of tasks that have no plan: exec, shell, connect, run, cp, and the watch."""

from __future__ import annotations

import shlex
from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING

from invoke_devstack.events import Explained
from invoke_devstack.secrets import masked

if TYPE_CHECKING:
    from invoke_devstack.planning.watching.actions import PathPair


def explain_exec(
    container: str,
    command: Iterable[str],
    *,
    tty: bool,
    user: str = "",
    working_dir: str = "",
    environment: Iterable[str] = (),
    privileged: bool = False,
    detached: bool = False,
) -> Explained:
    """A command in the running container `container`."""
    words = [
        "exec",
        "--detach" if detached else "--interactive",
        *(["--privileged"] if privileged else []),
        *(["--tty"] if tty else []),
        *(["--user", user] if user else []),
        *(["--workdir", working_dir] if working_dir else []),
        *_variables(environment),
    ]
    where = "on your terminal" if tty else "with your input and output"
    if detached:
        where = "which goes on by itself"
    return Explained(
        command=_docker(*words, container, *command),
        sentence=f"Runs a command in the running container, {where}.",
    )


def explain_oneoff_start(container: str, *, tty: bool, detached: bool = False) -> Explained:
    """The start of a container for one command, attached to our input and output unless it is `detached`."""
    if detached:
        return Explained(
            command=_docker("start", container),
            sentence="Starts the container, which is removed when its command ends.",
        )
    return Explained(
        command=_docker("start", "--attach", "--interactive", container),
        sentence="Starts the container, attached to your terminal."
        if tty
        else "Starts the container, attached to your input and output.",
    )


def explain_attach(container: str, *, stdin: bool, signals: bool) -> Explained:
    """The connection to a container's main process."""
    words = [*([] if stdin else ["--no-stdin"]), *([] if signals else ["--sig-proxy=false"])]
    return Explained(
        command=_docker("attach", *words, container),
        sentence="Connects your terminal to the container's main process.",
    )


def explain_export(container: str) -> Explained:
    """A container's file system as an archive."""
    return Explained(
        command=_docker("export", container),
        sentence="Writes the container's file system, without its volumes, as a tar archive.",
    )


def explain_oneoff_end(container: str) -> Explained:
    """What `docker run --rm` does at its end."""
    return Explained(
        command=_docker("rm", "--force", "--volumes", container),
        sentence="Removes the container once its command has exited, as `docker run --rm` does.",
    )


def explain_copy(source: str, destination: str, *, follow_link: bool = False) -> Explained:
    """A copy into or out of a container; both as `docker cp` takes them."""
    return Explained(
        command=_docker("cp", *(("--follow-link",) if follow_link else ()), source, destination),
        sentence="Copies files between this machine and the container, which may be stopped.",
    )


def explain_sync(
    container: str, copies: Iterable[PathPair], deletions: Iterable[PathPair]
) -> Iterator[Explained]:
    """What a watch does with a save, by hand; files that cannot be read are not left out."""
    for copy in copies:
        source = f"{copy.host}/." if copy.directory else copy.host
        yield explain_copy(source, f"{container}:{copy.container}")
    gone = tuple(copy.container for copy in deletions)
    if gone:
        yield Explained(
            command=_docker("exec", "--user", "0", container, "rm", "-rf", *gone),
            sentence="Removes from the container what was deleted on this machine.",
        )


def _variables(environment: Iterable[str]) -> Iterator[str]:
    for variable in environment:
        name, equals, value = variable.partition("=")
        yield from ("--env", f"{name}={masked(name, value)}" if equals else name)


def _docker(*words: str) -> str:
    return shlex.join(("docker", *words))
