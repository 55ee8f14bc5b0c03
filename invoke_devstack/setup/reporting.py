"""What `setup` and `init` report: sentences, and actions with their duration."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass

from invoke_devstack.errors import DevstackError, SetupError
from invoke_devstack.events import ActionFailed, ActionFinished, ActionStarted, Emit, Notice


def say(emit: Emit, text: str, *, level: str = "info") -> None:
    """Shows a sentence."""
    emit(Notice(text=text, level=level))


def run_action(emit: Emit, action: str, target: str, cause: str, work: Callable[[], str]) -> str:
    """Runs `work` and reports its start and its end; `work` returns the result that is shown with it. Passes
    its errors on."""
    began = time.monotonic()
    emit(ActionStarted(action=action, target=target, cause=cause))
    try:
        text = work()
    except DevstackError as error:
        seconds = time.monotonic() - began
        emit(ActionFailed(action=action, target=target, seconds=seconds, error=error.message))
        raise
    emit(ActionFinished(action=action, target=target, seconds=time.monotonic() - began, text=text))
    return text


Ask = Callable[[str], str]
"""Shows a question and returns the answer."""


@dataclass(frozen=True, slots=True)
class Questions:
    """`ask` is None if there is no terminal; `assume_yes` answers every question with yes."""

    ask: Ask | None = None
    assume_yes: bool = False

    def agree(self, question: str, *, refused: str, hint: str) -> bool:
        """True for a yes, and if nobody can be asked: the caller says what it does. Raises SetupError with
        the message `refused` for a no."""
        if self.assume_yes or self.ask is None:
            return True
        if self.ask(f"{question} [Y/n]").strip().lower() in ("", "y", "yes"):
            return True
        raise SetupError(refused, hint=hint)
