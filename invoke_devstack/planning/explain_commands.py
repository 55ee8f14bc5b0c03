"""The `docker` commands behind the tasks that plan nothing: exec, shell, connect, run, cp. Pure."""

from __future__ import annotations

import shlex
from collections.abc import Iterable, Iterator

from invoke_devstack.events import Explained
from invoke_devstack.planning.watching import Copy
from invoke_devstack.secrets import masked


def explain_exec(
    container: str,
    command: Iterable[str],
    *,
    tty: bool,
    user: str = "",
    working_dir: str = "",
    environment: Iterable[str] = (),
) -> Explained:
    """A command in the running container `container`."""
    words = [
        "exec",
        "--interactive",
        *(["--tty"] if tty else []),
        *(["--user", user] if user else []),
        *(["--workdir", working_dir] if working_dir else []),
        *_variables(environment),
    ]
    where = "on your terminal" if tty else "with your input and output"
    return Explained(
        command=_docker(*words, container, *command),
        sentence=f"Runs a command inside the running container, {where}.",
    )


def explain_oneoff_start(container: str, *, tty: bool) -> Explained:
    """The start of a container that was made for one command, attached to our input and output."""
    return Explained(
        command=_docker("start", "--attach", "--interactive", container),
        sentence="Starts the container, with your terminal as its own."
        if tty
        else "Starts the container, with your input and output as its own.",
    )


def explain_oneoff_end(container: str) -> Explained:
    """What `docker run --rm` does at the end by itself."""
    return Explained(
        command=_docker("rm", "--force", "--volumes", container),
        sentence="Removes the container once its command has ended, as `docker run --rm` does.",
    )


def explain_copy(source: str, destination: str) -> Explained:
    """A copy into or out of a container; both as `docker cp` takes them."""
    return Explained(
        command=_docker("cp", source, destination),
        sentence="Copies files between this machine and the container, which need not run.",
    )


def explain_sync(container: str, copies: Iterable[Copy], deletions: Iterable[Copy]) -> Iterator[Explained]:
    """What a watch does with a save, by hand; files that cannot be read are not left out."""
    for copy in copies:
        source = f"{copy.host}/." if copy.directory else copy.host
        yield explain_copy(source, f"{container}:{copy.container}")
    gone = tuple(copy.container for copy in deletions)
    if gone:
        yield Explained(
            command=_docker("exec", "--user", "0", container, "rm", "-rf", *gone),
            sentence="Removes in the container what is gone on this machine.",
        )


def _variables(environment: Iterable[str]) -> Iterator[str]:
    for variable in environment:
        name, equals, value = variable.partition("=")
        yield from ("--env", f"{name}={masked(name, value)}" if equals else name)


def _docker(*words: str) -> str:
    return shlex.join(("docker", *words))
