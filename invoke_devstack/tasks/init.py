"""A first definition for a project that has none: init."""

from __future__ import annotations

from typing import TYPE_CHECKING

from invoke_devstack.tasks.command import command, split_names

if TYPE_CHECKING:
    from invoke_devstack.tasks.context import Work


@command(
    "init",
    json="answer",
    flags={
        "services": "Servers to add, as a comma list: redis, valkey, mysql, mariadb, postgres, mongodb, "
        "rabbitmq, nats, minio, mailpit; or none.",
    },
)
def init(work: Work, services: tuple[str, ...] = (), yes: bool = False, json: bool = False) -> None:
    """Write a first stack for the project that is here.

    Looks for a Dockerfile, Flask, Django, FastAPI, a Compose file and a Procfile, and writes `services/`,
    `tasks.py` and a Makefile. A file that is there is kept. Where there is no tasks.py yet:
    `python -m invoke_devstack init`.
    """
    from invoke_devstack.console import can_ask
    from invoke_devstack.setup.scaffold.write import write_first_files

    ask = None if yes or json or not can_ask() else work.console.ask
    done = write_first_files(work.directory, work.tell, ask, split_names(services))
    text = f"Wrote {', '.join(done.written)}. Next: `invoke up`." if done.written else "Everything is there."
    data = {
        "found": {
            "framework": done.found.framework,
            "dockerfile": done.found.dockerfile,
            "compose": done.found.compose,
            "processes": dict(done.found.processes),
        },
        "services": list(done.servers),
        "written": list(done.written),
        "kept": list(done.kept),
    }
    work.answer(text, data)
