"""A first definition for a project: init."""

from __future__ import annotations

from typing import TYPE_CHECKING

from invoke_devstack.tasks.declare import split_names, task

if TYPE_CHECKING:
    from invoke_devstack.tasks.work import Work


@task(
    "init",
    json="answer",
    flags={
        "services": "Services to add, comma-separated, such as `postgres,redis`; or `none`. "
        "Without it, `init` shows the choices and asks.",
    },
)
def init(work: Work, services: tuple[str, ...] = (), yes: bool = False, json: bool = False) -> None:
    """Write a first stack for this project.

    Looks for a Dockerfile, a Compose file, a Procfile, a devcontainer.json, and applications in Node.js,
    Python, Go, Rails, PHP, Java, .NET or plain HTML, also in folders. Writes `services/`, a Dockerfile,
    `tasks.py` and a Makefile. Existing files are kept. Without a tasks.py, run
    `python -m invoke_devstack init`.
    """
    from invoke_devstack.console import can_ask
    from invoke_devstack.setup.scaffold.write import write_first_files

    ask = None if yes or json or not can_ask() else work.console.ask
    done = write_first_files(work.directory, work.tell, ask, split_names(services))
    text = (
        f"Wrote {', '.join(done.written)}. Next: `invoke up`."
        if done.written
        else "Nothing to write: all files exist."
    )
    data = {
        "found": {
            "framework": done.found.framework,
            "dockerfile": done.found.dockerfile,
            "compose": done.found.compose,
            "processes": dict(done.found.processes),
            "applications": {app.name: app.folder for app in done.found.apps},
        },
        "services": list(done.servers),
        "written": list(done.written),
        "kept": list(done.kept),
    }
    work.answer(text, data)
