"""Folders of this machine that a bind mount names and that are not there yet: made as the caller. The engine
would make them too, as root, and then nobody but root could put anything into them."""

from __future__ import annotations

from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING

from invoke_devstack.engine.endpoints import find_endpoint
from invoke_devstack.events import Notice
from invoke_devstack.planning.plan import CreateContainer, Plan
from invoke_devstack.running.session import Session

if TYPE_CHECKING:
    from collections.abc import Iterable

    from invoke_devstack.definition.model import Service


def make_bind_folders(session: Session, plan: Plan) -> None:
    """Makes those that the containers of `plan` need (`create_host_path`, as in the short form). For an
    engine on another machine there is nothing to do here."""
    if not find_endpoint().is_local:
        return
    every = {**session.definition.disabled_services, **session.definition.services}
    names = dict.fromkeys(action.service for action in plan if isinstance(action, CreateContainer))
    for name in names:
        if name in every:
            for folder in _missing(every[name]):
                _make(session, name, folder)


def _missing(service: Service) -> Iterable[Path]:
    for mount in service.volumes:
        wanted = mount.type == "bind" and mount.source and mount.bind and mount.bind.create_host_path
        if wanted and not Path(mount.source or "").exists():
            yield Path(mount.source or "")


def _make(session: Session, service: str, folder: Path) -> None:
    """Where the caller may not, the engine makes it, or says why it cannot."""
    with suppress(OSError):
        folder.mkdir(parents=True, exist_ok=True)
        session.emit(Notice(text=f"made the folder {folder}, which it mounts", service=service))
