"""Colors and marks."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from functools import cache
from zlib import crc32

_SERVICE_COLOURS = tuple(
    f"\x1b[38;5;{number}m" for number in (30, 136, 64, 133, 67, 168, 99, 130, 32, 29, 166, 139)
)
"""Of the 256 colors, some that can be read on black and on white. The first 16 are each terminal's own: their
blue is often too dark for black, their yellow and bright colors too light for white."""
_FEW_COLOURS = tuple(f"\x1b[{number}m" for number in (36, 32, 35, 33))
"""Of the first 16: cyan, green, magenta, yellow."""


@cache
def _codes() -> Mapping[str, str]:
    """The colors by what they mean. The package is imported where something is painted: it takes 3 ms, and
    much is printed into pipes."""
    from colorama import Fore, Style

    return {
        "good": Fore.GREEN,
        "bad": Fore.RED + Style.BRIGHT,
        "warn": Fore.YELLOW,
        "dim": Style.DIM,
        "bold": Style.BRIGHT,
        "address": Fore.CYAN,
        "end": Style.RESET_ALL,
    }


class Palette:
    """A color for each service. It comes from the name, so it is the same in every run. Services of one stack
    share one only if there are more services than colors."""

    def __init__(self, *, many: bool = True) -> None:
        """`many`: the terminal has 256 colors."""
        self._colours = _SERVICE_COLOURS if many else _FEW_COLOURS
        self._taken: dict[str, int] = {}

    def expect(self, services: Iterable[str]) -> None:
        """Gives the services of a stack their colors, in an order that does not depend on the run."""
        for service in sorted(services):
            self.colour(service)

    def colour(self, service: str) -> str:
        if service not in self._taken:
            count, wanted = len(self._colours), crc32(service.encode("utf-8", "replace"))
            used = set(self._taken.values())
            candidates = [(wanted + step) % count for step in range(count)]
            self._taken[service] = next((slot for slot in candidates if slot not in used), candidates[0])
        return self._colours[self._taken[service]]


class Paint:
    """Paints text for one screen; leaves it as it is on a screen without colors."""

    def __init__(self, *, colour: bool, unicode: bool, palette: Palette) -> None:
        self.has_colour = colour
        self.unicode = unicode
        self.palette = palette
        self.good_mark = self.good("✔" if unicode else "+")
        self.bad_mark = self.bad("✘" if unicode else "x")
        self.warn_mark = self.warn("!")
        self.quiet_mark = self.dim("·" if unicode else "-")

    def plain(self, text: str) -> str:
        """As it is."""
        return text

    def good(self, text: str) -> str:
        return self._in("good", text)

    def bad(self, text: str) -> str:
        return self._in("bad", text)

    def warn(self, text: str) -> str:
        return self._in("warn", text)

    def dim(self, text: str) -> str:
        return self._in("dim", text)

    def bold(self, text: str) -> str:
        return self._in("bold", text)

    def address(self, text: str) -> str:
        return self._in("address", text)

    def service(self, name: str, width: int = 0, *, shown: str = "") -> str:
        """The name (or `shown`) in the color of the service, padded to `width`."""
        text = shown or name
        spaces = " " * (width - len(text))
        colour = self.palette.colour(name)
        return (f"{colour}{text}{_codes()['end']}" if self.has_colour and text else text) + spaces

    def _in(self, meaning: str, text: str) -> str:
        if not self.has_colour or not text:
            return text
        codes = _codes()
        return f"{codes[meaning]}{text}{codes['end']}"


def with_several(containers: Iterable[tuple[str, str]]) -> frozenset[str]:
    """The services that have several of these (service, container)."""
    found: dict[str, set[str]] = {}
    for service, container in containers:
        found.setdefault(service, set()).add(container)
    return frozenset(service for service, names in found.items() if len(names) > 1)
