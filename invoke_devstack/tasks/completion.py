"""Shell completion: tasks and flags as Invoke completes them, and names of services, which Invoke cannot."""

from __future__ import annotations

from pathlib import Path

from invoke_devstack.tasks import catalogue

SHELLS = ("bash", "zsh", "fish")


def script(shell: str) -> str:
    """The script for `shell`, one of SHELLS; "" for any other."""
    if shell not in SHELLS:
        return ""
    text = Path(__file__).with_name(f"completion.{shell}").read_text("utf-8")
    return text.replace("@TAKES_SERVICE@", " ".join(_take_a_service()))


def _take_a_service() -> tuple[str, ...]:
    """The tasks whose first argument is a service."""
    names = (item.name for item in catalogue.every().values() if item.positional[:1] == ["service"])
    return tuple(dict.fromkeys(names))
