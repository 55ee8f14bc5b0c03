"""The footer of an attached `up`: what is shown, and what each key does."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager
from dataclasses import replace

from invoke_devstack import events as e
from invoke_devstack.console.amounts import counted
from invoke_devstack.console.escapes import clean_text
from invoke_devstack.console.footer.asking import Question
from invoke_devstack.console.footer.drawing import Look, draw
from invoke_devstack.console.footer.kept import KeptLines, Word
from invoke_devstack.console.footer.keyboard import Keyboard
from invoke_devstack.console.footer.overview import Overview, ServiceNow
from invoke_devstack.console.footer.pilot import Pilot
from invoke_devstack.console.footer.place import Place
from invoke_devstack.console.screen import Screen
from invoke_devstack.console.style import Paint
from invoke_devstack.console.title import Title

_SAID = 6.0  # seconds that an answer stays
_FOUND = 20  # lines that a search shows of those that went by
_ALL = "all"
HELP = (
    "d  detach: this command ends, the stack runs on",
    "o  open the page of a service in the browser",
    "r  restart a service        b  rebuild a service: its image and its container",
    "l  show the logs of one service only; `l` and `all`: of all again",
    "/  search: lines that went by are shown again, new ones are marked; empty: end",
    "q  stop the services and end, as Ctrl-C does",
    "Ctrl-Z stops this command alone; `fg` brings it back",
)


class Footer:
    """From `begin` to `end`. `guard` is entered for all that is written, one thread at a time."""

    def __init__(
        self,
        screen: Screen,
        paint: Paint,
        pilot: Pilot,
        guard: Callable[[], AbstractContextManager[None]],
        begun: Callable[[Footer | None], None],
        title: Title,
    ) -> None:
        """`begun` gets the footer once it is there, and None once it is not. `title` says the most important
        of what it shows."""
        self._title = title
        self._paint = paint
        self._pilot = pilot
        self._guard = guard
        self._begun = begun
        self._overview = Overview("")
        self._look = Look()
        self._said_until = 0.0
        self._question: Question | None = None
        self._then: Callable[[str], None] = self._ignore
        self._kept = KeptLines()
        self._word: Word | None = None
        self._hidden = 0
        self._holds = 0
        self.place = Place(screen, self._draw, guard)
        self._keyboard = Keyboard(self._on_key, self._on_tick, self._hide, self._show)

    def begin(self, project: str) -> None:
        """Shows it, and takes the keys."""
        self._overview.project = clean_text(project)
        with self._guard():
            self._begun(self)
            self.place.show()
        self._keyboard.start()

    def end(self) -> None:
        """Wipes it. The terminal is as it was. May be called more than once, in any thread."""
        self._keyboard.stop()
        with self._guard():
            self.place.hide()
            self._begun(None)
            self._title.end()

    def show(self, services: Sequence[ServiceNow]) -> None:
        """How the services are now, in order."""
        with self._guard():
            self._overview.services = tuple(services)
            self._title.say(*self._overview.headline())
            self.place.refresh()

    def tell(self, text: str) -> None:
        """Says something in place of the keys, for a while."""
        with self._guard():
            self._say(text)

    # what the console tells, under its guard

    def take(self, event: e.Event) -> None:
        """An event, before its lines are printed."""
        self._overview.apply(event, time.strftime("%H:%M:%S"))
        if self._overview.services:
            self._title.say(*self._overview.headline())
        if isinstance(event, e.ActionStarted) and event.action == "hook":
            self._holds += 1  # a function in tasks.py prints as it likes
            self.place.hide()
        elif isinstance(event, e.ActionFinished | e.ActionFailed) and event.action == "hook" and self._holds:
            self._holds -= 1
            if not self._holds:
                self.place.show()
        self.place.refresh()

    def log(self, service: str, lines: bytes) -> None:
        """Log lines of a service, ready to be printed."""
        self._kept.add(service, lines)
        if self._look.only not in ("", service):
            self._hidden += lines.count(b"\n")
            return
        if self._word is not None:
            lines, found = self._word.marked(lines)
            self._look = replace(self._look, found=self._look.found + found)
        self.place.write(lines)

    # keys

    def _on_key(self, key: str) -> None:
        with self._guard():
            if self._question is not None:
                self._answer(self._question, key)
            elif action := _KEYS.get(key):
                self._look = replace(self._look, said="")
                action(self)
            elif len(key) == 1:
                self._say(f"`{key}` is no key here. `?` lists them.")
            self.place.refresh()

    def _answer(self, question: Question, key: str) -> None:
        question.take(key)
        if not question.is_over:
            self._look = replace(self._look, said=question.text(self._paint.has_colour))
            return
        self._question = None
        self._look = replace(self._look, said="")
        if question.answer is not None:
            self._then(question.answer)

    def _ask(self, question: Question, then: Callable[[str], None]) -> None:
        self._question, self._then = question, then
        self._said_until = float("inf")
        self._look = replace(self._look, said=question.text(self._paint.has_colour))

    def _ask_service(self, label: str, choices: Sequence[str], then: Callable[[str], None]) -> None:
        """One that is alone is not asked for."""
        if len(choices) == 1:
            then(choices[0])
        elif choices:
            self._ask(Question(label, tuple(choices)), then)

    def _ask_to_act(self, label: str, task: str) -> None:
        names = self._overview.names()
        if not names:
            self._say("There are no services.")
        self._ask_service(label, names, lambda service: self._say(self._pilot.act(task, service)))

    def _restart(self) -> None:
        self._ask_to_act("restart", "restart")

    def _rebuild(self) -> None:
        self._ask_to_act("rebuild", "rebuild")

    def _open(self) -> None:
        pages = self._overview.pages()
        if not pages:
            self._say("No service has a page for a browser.")
        self._ask_service("open", tuple(pages), lambda name: self._say(self._pilot.open(name, pages[name])))

    def _detach(self) -> None:
        self._say(self._pilot.detach())

    def _stop(self) -> None:
        self._say(self._pilot.stop())

    def _filter(self) -> None:
        names = self._overview.names()
        self._ask(Question("logs of", (_ALL, *names) if self._look.only else (*names, _ALL)), self._show_only)

    def _show_only(self, service: str) -> None:
        before, hidden = self._look.only, self._hidden
        self._look = replace(self._look, only="" if service == _ALL else service)
        self._hidden = 0
        if before and hidden:
            left = counted(hidden, "line")
            command = f"invoke {self._pilot.task_prefix}logs"
            self._print(f"{left} of other services than {before} not shown meanwhile: `{command}`")
        self._said_until = 0.0

    def _search(self) -> None:
        self._ask(Question("search"), self._show_found)

    def _show_found(self, text: str) -> None:
        self._said_until = 0.0
        self._word = Word(text) if text else None
        self._look = replace(self._look, word=clean_text(text), found=0)
        if self._word is None:
            return
        found = [line for line in self._kept.lines(self._look.only) if self._word.is_in(line)]
        shown = found[-_FOUND:]
        few = f", the last {len(shown)} of them" if len(shown) < len(found) else ""
        self._print(f"{counted(len(found), 'line')} so far with `{clean_text(text)}`{few}:")
        if shown:
            self.place.write(self._word.marked(b"\n".join(shown) + b"\n")[0])
        self._look = replace(self._look, found=len(found))

    def _help(self) -> None:
        for line in HELP:
            self._print(line)

    # what is shown

    def _print(self, text: str) -> None:
        self.place.write(f"{self._paint.dim(text)}\n".encode(errors="replace"))

    def _say(self, text: str) -> None:
        self._said_until = time.monotonic() + _SAID
        self._look = replace(self._look, said=clean_text(text))
        self.place.refresh()

    def _on_tick(self) -> None:
        with self._guard():
            if self._look.said and time.monotonic() > self._said_until:
                self._look = replace(self._look, said="")
            self.place.refresh()

    def _hide(self) -> None:
        with self._guard():
            self.place.hide()

    def _show(self) -> None:
        with self._guard():
            if not self._holds:
                self.place.show()

    def _draw(self, width: int, height: int) -> list[str]:
        return draw(self._overview, self._look, width, height, self._paint)

    def _ignore(self, answer: str) -> None:
        """Nothing was asked."""


_KEYS: dict[str, Callable[[Footer], None]] = {
    "d": Footer._detach,
    "o": Footer._open,
    "r": Footer._restart,
    "b": Footer._rebuild,
    "l": Footer._filter,
    "/": Footer._search,
    "q": Footer._stop,
    "?": Footer._help,
}
