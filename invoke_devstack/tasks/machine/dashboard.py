"""`invoke dashboard`: the stack in a browser."""

from __future__ import annotations

from typing import TYPE_CHECKING

from invoke_devstack.tasks.declare import task
from invoke_devstack.tasks.flags import port as port_number

if TYPE_CHECKING:
    from invoke_devstack.dashboard.serving import Dashboard
    from invoke_devstack.tasks.work import Work


@task(
    "dashboard",
    shorts={"port": "p"},
    flags={
        "port": "Serve it at this port. Default: the project's own, or a free one.",
        "no_open": "Only print the address.",
        "read_only": "Refuse every action.",
    },
)
def dashboard(work: Work, port: str = "", no_open: bool = False, read_only: bool = False) -> None:
    """Show the stack in the browser, until Ctrl-C.

    Services, logs, history, data, and a button for each task.
    """
    from invoke_devstack.tasks.dashboard.serve import dashboard_of

    served = dashboard_of(work, port=port_number("port", port), read_only=read_only)
    with work.interrupt, work.interrupt.raising(False):
        served.start()
        try:
            work.answer(served.link, with_secrets=True)
            if not no_open:
                _open(served.link)
            _wait(work, served)
        finally:
            served.stop()
    work.interrupt.check(is_done=True)


def _open(link: str) -> None:
    import webbrowser

    webbrowser.open(link)


def _wait(work: Work, served: Dashboard) -> None:
    with work.interrupt.calling(served.ended.set):
        served.ended.wait()
