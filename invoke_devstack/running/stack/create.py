"""Creates containers, and all that they need, and starts none (`create`, `up --no-start`)."""

from __future__ import annotations

from dataclasses import replace

from invoke_devstack.events import Notice
from invoke_devstack.planning.plan import CreateContainer, Plan
from invoke_devstack.running.options import UpOptions
from invoke_devstack.running.session import Session
from invoke_devstack.running.stack import up


def create(session: Session, options: UpOptions) -> Plan:
    """Creates the containers of the services and of what they depend on, as `bring_up` would. Containers
    whose definition changed are replaced, unless `options.keep_existing`; the new ones do not run either.

    Emits PlanMade, the events of the actions, and a Notice. Raises what `bring_up` raises.
    """
    made = up.carry_out_up(session, replace(options, start=False))
    created = [action.target for action in made if isinstance(action, CreateContainer)]
    if created:
        count = f"{len(created)} container{'s' if len(created) != 1 else ''}"
        text = f"created {count}; start: `invoke start`"
    else:
        text = "nothing to do: all containers exist"
    session.emit(Notice(text=text))
    return made
