"""Keeps text from containers, images, labels and files from controlling the terminal.

Colors (SGR) of logs pass. Everything else that a terminal obeys is removed: control sequences of ECMA-48,
whole or cut off, single control characters of 7 and 8 bits, and characters that reorder or hide text.

Text is decoded first and cleaned as characters, so what is left cannot join to a control character, and an
escape character is left only as the start of a complete color. So cleaning once more changes nothing.
"""

from __future__ import annotations

import json
import re
from dataclasses import fields, replace
from typing import Any, TypeVar

from invoke_devstack.events import Event
from invoke_devstack.late_patterns import late

_HARMLESS = bytes((*b"\t\n", *range(0x20, 0x7F)))
_HIDING = (
    "\u00ad\u061c\u180e\u200b\u200e\u200f\u2028-\u202e\u2060-\u206f\ufeff\ufff9-\ufffb"
    "\U0001bca0-\U0001bca3\U0001d173-\U0001d17a\U000e0000-\U000e007f"
)
"""Characters without a shape that reorder or hide others. The joiners of words and emoji are none of them."""
_CONTROLS = "\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f"
_SEQUENCE = (
    r"(?:\x1b\[|\x9b)[0-?]*[ -/]*[@-~]"  # CSI
    r"|(?:\x1b[\]PX^_]|[\x90\x98\x9d-\x9f])[^\x07\x1b\x9c\n]*(?:\x07|\x1b\\|\x9c)"  # OSC, DCS and kin
    r"|\x1b[ -/]*[0-~]"  # two-character escapes
)
_UNWANTED = late(rf"(\x1b\[[0-9;:]*m)|{_SEQUENCE}|\r(?!\n)|[{_CONTROLS}{_HIDING}]")
_UNWANTED_TEXT = late(rf"{_SEQUENCE}|[{_CONTROLS}\r{_HIDING}]")
_SPECIAL = late(rf"[{_CONTROLS}{_HIDING}]")
_RESET = "\x1b[0m"
_ON_ONE_LINE = frozenset(("service", "container", "target", "project", "name", "item"))

AnyEvent = TypeVar("AnyEvent", bound=Event)


def neutralise(block: bytes, *, keep_colours: bool, encoding: str = "utf-8") -> bytes:
    """The log block without what could control a terminal. Colors end with their line, so that none runs into
    the next prefix. A block with nothing to remove is returned as it is."""
    if not block.translate(None, _HARMLESS):
        return block
    clean = _UNWANTED.sub(_keep_colour if keep_colours else "", block.decode("utf-8", "replace"))
    result = _with_colours_ended(clean).encode(encoding, "replace")
    return block if result == block else result


def clean_text(text: str) -> str:
    """The text without control sequences and characters other than line feeds and tabs."""
    if text.isprintable():
        return text
    return _UNWANTED_TEXT.sub("", text).encode("utf-8", "replace").decode()


def clean_json(text: str) -> str:
    """JSON with the same values, in which characters that a terminal obeys are escaped."""
    return text if text.isprintable() else _SPECIAL.sub(lambda found: json.dumps(found[0])[1:-1], text)


def clean_event(event: AnyEvent) -> AnyEvent:
    """The event with all texts cleaned, and names on one line. Log blocks keep their data: see
    `neutralise`."""
    texts = {item.name: _clean_field(item.name, getattr(event, item.name)) for item in fields(event)}
    return replace(event, **texts)


def _clean_field(name: str, value: Any) -> Any:
    clean = _clean(value)
    return " ".join(clean.split()) if name in _ON_ONE_LINE and isinstance(clean, str) else clean


def _clean(value: Any) -> Any:
    if isinstance(value, str):
        return clean_text(value)
    if isinstance(value, tuple | list):
        return type(value)(_clean(item) for item in value)
    if isinstance(value, dict):
        return {_clean(key): _clean(item) for key, item in value.items()}
    return value


def _keep_colour(match: re.Match[str]) -> str:
    return match[1] or ""


def _with_colours_ended(text: str) -> str:
    if "\x1b" not in text:
        return text
    lines = text.removesuffix("\n")
    return lines.replace("\n", f"{_RESET}\n") + _RESET + text[len(lines) :]
