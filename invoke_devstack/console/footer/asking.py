"""A question in the footer: a service, picked by the start of its name, or a word. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

_CARET = "\x1b[7m \x1b[27m"
ENTER, ESCAPE, TAB, BACKSPACE, UP, DOWN, CLEAR = "enter", "esc", "tab", "backspace", "up", "down", "clear"


@dataclass(slots=True)
class Question:
    """`choices` empty: any text will do. `answer` is set by Enter; it is over then, or when it is left."""

    label: str
    choices: tuple[str, ...] = ()
    typed: str = ""
    place: int = 0
    answer: str | None = None
    is_over: bool = False
    names: Sequence[str] = field(default=())

    def take(self, key: str) -> None:
        """One key: a character, or one of the names above."""
        if key == ENTER:
            self.answer, self.is_over = self._chosen(), True
        elif key == ESCAPE:
            self.is_over = True
        elif key in (BACKSPACE, CLEAR):
            self.typed, self.place = "" if key == CLEAR else self.typed[:-1], 0
        elif key in (TAB, DOWN, UP):
            self.place += -1 if key == UP else 1
        elif len(key) == 1 and key.isprintable():
            self.typed, self.place = self.typed + key, 0

    def matching(self) -> tuple[str, ...]:
        """The choices that begin with what was typed; else those that have it somewhere."""
        begins = tuple(item for item in self.choices if item.startswith(self.typed))
        return begins or tuple(item for item in self.choices if self.typed in item)

    def text(self, colour: bool) -> str:
        """As the footer shows it."""
        if not self.choices:
            return f"{self.label}: {self.typed}{_CARET if colour else '_'}"
        found = self.matching()
        if not found:
            return f"{self.label}: {self.typed} - no such service (Esc: leave)"
        chosen = self._chosen() or ""
        others = ", ".join(item for item in found if item != chosen)
        return f"{self.label}: {chosen}  (Enter{f'; Tab: {others}' if others else ''}; Esc)"

    def _chosen(self) -> str | None:
        if not self.choices:
            return self.typed
        found = self.matching()
        return found[self.place % len(found)] if found else None
