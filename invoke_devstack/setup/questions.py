"""Asking the person at the terminal, where there is one."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from invoke_devstack.errors import SetupError
from invoke_devstack.events import Emit, Notice

Ask = Callable[[str], str]
"""Shows a question and returns the answer."""


@dataclass(frozen=True, slots=True)
class Questions:
    """`ask` is None where nobody can be asked; `assume_yes` stands for a yes at every question."""

    ask: Ask | None = None
    assume_yes: bool = False

    def agree(self, question: str, *, refused: str, hint: str) -> bool:
        """Whether to go ahead. Raises SetupError with `refused` when the person says no.
        Where nobody can be asked the answer is yes: the caller says what it does."""
        if self.assume_yes or self.ask is None:
            return True
        if self.ask(f"{question} [Y/n]").strip().lower() in ("", "y", "yes"):
            return True
        raise SetupError(refused, hint=hint)


def say(emit: Emit, text: str, *, level: str = "info") -> None:
    """Tells the person a sentence."""
    emit(Notice(text=text, level=level))
