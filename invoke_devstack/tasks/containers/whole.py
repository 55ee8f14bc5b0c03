"""Tasks for a container as a whole: attach, commit, export."""

from __future__ import annotations

from typing import TYPE_CHECKING

from invoke_devstack.errors import CommandExited, UsageError
from invoke_devstack.tasks.declare import task
from invoke_devstack.tasks.flags import not_empty, numbered

if TYPE_CHECKING:
    from invoke_devstack.tasks.work import Work

_INDEX_HELP = "The container with this number, as `web.2` says it too."


@task(
    "attach",
    runs_command=True,
    explains=True,
    flags={
        "index": _INDEX_HELP,
        "no_stdin": "Show its output only; pass no input on.",
        "no_sig_proxy": "Pass no signals on: Ctrl-C only detaches.",
        "detach_keys": "Keys that detach, such as `ctrl-x,d` (default `ctrl-p,ctrl-q`).",
    },
)
def attach(
    work: Work,
    service: str,
    index: str = "",
    no_stdin: bool = False,
    no_sig_proxy: bool = False,
    detach_keys: str = "",
) -> None:
    """Connect to a service's main process.

    Input is passed on if the service has `stdin_open`. Ctrl-C goes to the process. The exit code is its.
    """
    from invoke_devstack.running.inside.attach import attach
    from invoke_devstack.running.options import AttachOptions

    options = AttachOptions(
        service=work.service(numbered(service, index)),
        stdin=not no_stdin,
        signals=not no_sig_proxy,
        detach_keys=detach_keys,
    )
    with work.session() as session:
        code = attach(session, options)
    if code:
        raise CommandExited(code)


@task(
    "commit",
    json="events",
    plans=True,
    words="image",
    shorts={"author": "a", "message": "m", "change": "c"},
    flags={
        "image": "The image's name, as a word after the service or with this flag. Default: none.",
        "author": "Who made it, such as `Ada <ada@example.com>`.",
        "message": "What it is.",
        "change": "A Dockerfile instruction for the image, such as `ENV A=b`; repeatable.",
        "no_pause": "Do not pause the container meanwhile.",
        "index": _INDEX_HELP,
    },
)
def commit(
    work: Work,
    service: str,
    image: tuple[str, ...] = (),
    author: str = "",
    message: str = "",
    change: tuple[str, ...] = (),
    no_pause: bool = False,
    index: str = "",
) -> None:
    """Make an image of a service's container.

    As it is now, without its volumes: `commit web shop-web:broken`.
    """
    from invoke_devstack.planning.options import CommitFlags
    from invoke_devstack.running.images.commit import commit

    not_empty("image name", *image)
    if len(image) > 1:
        raise UsageError(f"an image has one name: {' '.join(image)}", hint="Further names: `docker tag`.")
    flags = CommitFlags(
        reference="".join(image),
        author=author,
        message=message,
        changes=tuple(change),
        pause=not no_pause,
    )
    name = work.service(numbered(service, index))
    with work.session() as session:
        commit(session, name, flags)


@task(
    "export",
    runs_command=True,
    explains=True,
    shorts={"output": "o"},
    flags={"output": "Write to this file instead of stdout.", "index": _INDEX_HELP},
)
def export(work: Work, service: str, output: str = "", index: str = "") -> None:
    """Write a container's files as a tar archive.

    Without its volumes: `export web -o web.tar`.
    """
    from invoke_devstack.running.inside.export import export

    name = work.service(numbered(service, index))
    with work.session() as session:
        export(session, name, output)
