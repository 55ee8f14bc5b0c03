"""What keys can do. The room of the tasks provides it: `tasks/attached/pilot.py`."""

from __future__ import annotations

from typing import Protocol


class Pilot(Protocol):
    """Each method comes back at once and returns what the footer says; "" for nothing. `task_prefix` stands
    before the names of the stack's tasks."""

    task_prefix: str

    def act(self, task: str, service: str) -> str:
        """Has the task done, as the command line would: `restart` or `rebuild`."""

    def open(self, service: str, address: str) -> str:
        """Opens the page of a service."""

    def detach(self) -> str:
        """Ends the command; the stack runs on."""

    def stop(self) -> str:
        """Ends the command as Ctrl-C does: the services are stopped."""
