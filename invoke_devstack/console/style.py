"""Colours and marks: the only place that knows them."""

from __future__ import annotations

from collections.abc import Iterable
from zlib import crc32

from colorama import Fore, Style

_SERVICE_COLOURS = (
    Fore.CYAN,
    Fore.YELLOW,
    Fore.GREEN,
    Fore.MAGENTA,
    Fore.BLUE,
    Fore.LIGHTCYAN_EX,
    Fore.LIGHTYELLOW_EX,
    Fore.LIGHTGREEN_EX,
    Fore.LIGHTMAGENTA_EX,
    Fore.LIGHTBLUE_EX,
)


class Palette:
    """A colour for each service: from its name, so that it is the same in each run and each project;
    two services of one stack share one only when there are more services than colours."""

    def __init__(self) -> None:
        self._taken: dict[str, int] = {}

    def expect(self, services: Iterable[str]) -> None:
        """Gives colours to the services of a stack, in an order that does not depend on the run."""
        for service in sorted(services):
            self.colour(service)

    def colour(self, service: str) -> str:
        if service not in self._taken:
            self._taken[service] = self._free_slot(crc32(service.encode()))
        return _SERVICE_COLOURS[self._taken[service]]

    def _free_slot(self, wanted: int) -> int:
        count = len(_SERVICE_COLOURS)
        used = set(self._taken.values())
        candidates = [(wanted + step) % count for step in range(count)]
        return next((slot for slot in candidates if slot not in used), candidates[0])


class Paint:
    """Paints text for one screen, or leaves it as it is where there are no colours."""

    def __init__(self, *, colour: bool, unicode: bool, palette: Palette) -> None:
        self.has_colour = colour
        self.palette = palette
        self.good_mark = self.good("✔" if unicode else "+")
        self.bad_mark = self.bad("✘" if unicode else "x")
        self.warn_mark = self.warn("!")
        self.quiet_mark = self.dim("·" if unicode else "-")

    def good(self, text: str) -> str:
        return self._in(Fore.GREEN, text)

    def bad(self, text: str) -> str:
        return self._in(Fore.RED + Style.BRIGHT, text)

    def warn(self, text: str) -> str:
        return self._in(Fore.YELLOW, text)

    def dim(self, text: str) -> str:
        return self._in(Style.DIM, text)

    def bold(self, text: str) -> str:
        return self._in(Style.BRIGHT, text)

    def address(self, text: str) -> str:
        return self._in(Fore.CYAN, text)

    def service(self, name: str, width: int = 0, *, shown: str = "") -> str:
        """The name (or what is `shown` for it) in its colour, padded to `width`."""
        text = shown or name
        return self._in(self.palette.colour(name), text) + " " * (width - len(text))

    def _in(self, codes: str, text: str) -> str:
        return f"{codes}{text}{Style.RESET_ALL}" if self.has_colour and text else text
