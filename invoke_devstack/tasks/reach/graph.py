"""`invoke graph`: services and their dependencies, with the state of each."""

from __future__ import annotations

from typing import TYPE_CHECKING

from invoke_devstack.tasks.declare import task
from invoke_devstack.tasks.flags import choice

if TYPE_CHECKING:
    from invoke_devstack.tasks.work import Work


@task(
    "graph",
    json="answer",
    flags={"format": "`text` (default), `mermaid` for Markdown, or `svg`."},
)
def graph(work: Work, format: str = "text") -> None:  # noqa: A002 - the flag's name
    """Draw services and their dependencies."""
    from invoke_devstack.tasks.reach.graph_drawing import Picture

    style = choice("format", format, ("text", "mermaid", "svg"))
    states = _states(work)
    picture = Picture.of(work.definition.services, states)
    work.answer(picture.draw(style), picture.data())


def _states(work: Work) -> dict[str, str]:
    """Service -> its state. Empty if no engine answers: the picture then shows none."""
    from invoke_devstack.errors import EngineUnavailableError
    from invoke_devstack.running.observing import observe
    from invoke_devstack.running.readiness.ready_now import state_now

    try:
        definition = work.bound_definition
        observed = observe(definition, work.engine)
    except EngineUnavailableError:
        return {}
    found = (item for item in observed.containers if not item.oneoff)
    return {item.service: state_now(definition, item, observed) for item in found}
