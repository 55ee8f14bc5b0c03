"""One log line: what it is made of, its level, and its fields if it is JSON."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from typing import Any, NamedTuple

from invoke_devstack.console.escapes import neutralise

LEVELS = ("trace", "debug", "info", "warning", "error", "fatal")
LONGEST = 16 * 1024  # bytes of a line's text that are sent at once
_HEAD = 200  # bytes in which a level is looked for
_NAMES = {
    "trace": "trace",
    "verbose": "trace",
    "debug": "debug",
    "dbg": "debug",
    "info": "info",
    "information": "info",
    "notice": "info",
    "note": "info",
    "log": "info",
    "warn": "warning",
    "warning": "warning",
    "error": "error",
    "err": "error",
    "eror": "error",
    "severe": "error",
    "critical": "fatal",
    "crit": "fatal",
    "fatal": "fatal",
    "panic": "fatal",
    "emerg": "fatal",
    "alert": "fatal",
}
_WORDS = b"|".join([name.encode() for name in sorted(_NAMES, key=len, reverse=True)])
_LEVEL = re.compile(
    rb"(?:^|[\s\[(<|:\x1b])(?:level=|lvl=|severity=)?\"?("
    + rb"(?:" + _WORDS.upper() + rb"|(?<=\[)(?:" + _WORDS + rb")(?=\])|(?<=level=)(?:" + _WORDS + rb"))"
    + rb")(?=$|[\s\])>|:,\"\x1b/])"
)  # fmt: skip
_LETTERS = bytes(byte if chr(byte).isascii() and chr(byte).isalpha() else 32 for byte in range(256))
_KNOWN = frozenset(name.encode() for name in _NAMES) | frozenset(name.upper().encode() for name in _NAMES)
_FAILURE = re.compile(
    rb"^(?:Traceback \(most recent call last\)|panic: |fatal error: |Unhandled |Uncaught )", re.MULTILINE
)
_LEVEL_KEYS = ("level", "lvl", "severity", "loglevel", "log.level", "levelname", "@l")
_SYSLOG = {10: "trace", 20: "debug", 30: "info", 40: "warning", 50: "error", 60: "fatal"}
_SGR = re.compile(rb"\x1b\[[0-9;:]*m")


class Line(NamedTuple):
    """`stamp` is its time in Docker's form; `text` as the container wrote it."""

    number: int | None
    stamp: bytes
    service: str
    container: str
    stream: str
    text: bytes

    @property
    def id(self) -> str:
        """For a link. It is the same after a restart of the server."""
        return f"{self.stamp.decode('ascii', 'replace')}@{self.container}"

    def plain(self) -> bytes:
        """The text without colours, for searching."""
        return without_colours(self.text)

    def fields(self) -> dict[str, Any] | None:
        """The members of a line that is a JSON object, nested ones with dots."""
        text = self.text.strip()
        if not (text.startswith(b"{") and text.endswith(b"}")):
            return None
        try:
            data = json.loads(text)
        except (ValueError, RecursionError):
            return None
        return dict(_flat(data)) if isinstance(data, dict) else None

    def level(self, fields: Mapping[str, Any] | None = None) -> str:
        """One of LEVELS, or "" if it says none."""
        given = self.fields() if fields is None else fields
        if given is not None and (found := _level_in(given)):
            return found
        head = self.plain()[:_HEAD]
        # Most lines name no level, and looking for words tells so in a tenth of the time.
        if names_levels(head) and (match := _LEVEL.search(head)):
            return _NAMES[match[1].decode().lower()]
        return "error" if _FAILURE.match(head) else ""

    def to_json(self, *, whole: bool = False) -> dict[str, Any]:
        """As the API sends it; `whole`: however long it is."""
        cut = not whole and len(self.text) > LONGEST
        shown = self.text[:LONGEST] if cut else self.text
        fields = None if cut else self.fields()
        data: dict[str, Any] = {
            "n": self.number,
            "id": self.id,
            "time": self.stamp.decode("ascii", "replace"),
            "service": self.service,
            "container": self.container,
            "stream": self.stream,
            "level": self.level(fields),
            "text": neutralise(shown, keep_colours=True).decode("utf-8", "replace").rstrip("\r"),
        }
        if fields is not None:
            data["fields"] = fields
        if cut:
            data["cut"] = True
        return data


def names_levels(text: bytes) -> bool:
    """Whether it has the name of a level somewhere: a quick look, also at many lines. JSON is not read."""
    return not _KNOWN.isdisjoint(text.translate(_LETTERS).split())


def may_have_levels(texts: bytes) -> bool:
    """Whether one of these lines, one below the other, may have a level: a quick look."""
    return b"{" in texts or names_levels(texts) or _FAILURE.search(texts) is not None


def without_colours(text: bytes) -> bytes:
    """Without the escapes that set colours; others stay."""
    return _SGR.sub(b"", text) if b"\x1b" in text else text


def lines_of(service: str, container: str, stream: str, block: bytes) -> Iterator[Line]:
    """The lines of a block, each of which starts with a stamp."""
    for line in block.removesuffix(b"\n").split(b"\n"):
        stamp, _, text = line.partition(b" ")
        yield Line(None, stamp, service, container, stream, text.removesuffix(b"\r"))


def _flat(data: Mapping[str, Any], prefix: str = "") -> Iterator[tuple[str, Any]]:
    for name, value in data.items():
        if isinstance(value, dict) and value:
            yield from _flat(value, f"{prefix}{name}.")
        else:
            yield f"{prefix}{name}", value


def _level_in(fields: Mapping[str, Any]) -> str:
    for key in _LEVEL_KEYS:
        value = fields.get(key)
        if isinstance(value, str):
            return _NAMES.get(value.lower(), "")
        if isinstance(value, int) and not isinstance(value, bool):
            return _SYSLOG.get(value - value % 10, "")
    return ""
