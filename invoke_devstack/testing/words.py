"""What an error says, for pytest's report. Pure."""

from __future__ import annotations

from invoke_devstack.errors import DevstackError


def explained(error: DevstackError) -> str:
    """Message, place, details and hint of an error, a line each."""
    place = f"{error.position}: " if error.position else ""
    hint = [f"hint: {error.hint}"] if error.hint else []
    return "\n".join([f"the stack did not come up: {place}{error.message}", *error.details, *hint])
