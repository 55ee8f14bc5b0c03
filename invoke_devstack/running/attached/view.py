"""What an attached `up` asks of whoever shows it: see `tasks/attached/view.py`."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Literal, Protocol

from invoke_devstack.running.stack.services_now import ServiceState


class View(Protocol):
    """Shown from `begin` to `end`."""

    wish: Literal["", "detach", "stop"]
    """How a key said that it shall end."""

    def begin(self, project: str, on_wish: Callable[[], None]) -> None:
        """All is up. `on_wish` is called when `wish` is set."""

    def show(self, services: Sequence[ServiceState]) -> None:
        """How the services are now."""

    def end(self) -> None:
        """Gives the terminal back."""
