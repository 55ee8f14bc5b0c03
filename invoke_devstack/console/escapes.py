"""Text from containers, images and labels cannot steer a person's terminal.

Colours (SGR) may pass; cursor movement, window titles, the clipboard (OSC 52) and every other control
sequence of ECMA-48 are taken out, so are lone control characters and bidirectional overrides.
"""

from __future__ import annotations

import re
from dataclasses import fields, replace
from typing import Any, TypeVar

from invoke_devstack.events import Event

_KEPT_CONTROLS = b"\t\n"
_SUSPECTS = bytes(set(range(0x20)) - set(_KEPT_CONTROLS)) + b"\x7f\xc2"  # 0xc2 leads the C1 controls in UTF-8
_SGR = rb"\x1b\[[0-9;:]*m"
_SEQUENCE = (
    rb"(?:\x1b\[|\xc2\x9b)[0-?]*[ -/]*[@-~]"  # CSI
    rb"|(?:\x1b[\]PX^_]|\xc2[\x90\x98\x9d-\x9f])[^\x07\x1b\n]*(?:\x07|\x1b\\|\xc2\x9c)"  # OSC, DCS and kin
    rb"|\x1b[ -/]*[0-~]"  # two-character escapes
)
_CONTROL = rb"\r(?!\n)|[\x00-\x08\x0b\x0c\x0e-\x1f\x7f]|\xc2[\x80-\x9f]"
_UNWANTED = re.compile(rb"(" + _SGR + rb")|" + _SEQUENCE + rb"|" + _CONTROL)
_UNWANTED_TEXT = re.compile(
    r"\x1b\[[0-?]*[ -/]*[@-~]|\x1b[\]PX^_][^\x07\x1b]*(?:\x07|\x1b\\)|\x1b[ -/]*[0-~]"
    r"|[\x00-\x08\x0b-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069]"
)
_RESET = b"\x1b[0m"

AnyEvent = TypeVar("AnyEvent", bound=Event)


def neutralise(block: bytes, *, keep_colours: bool) -> bytes:
    """The log block without what could steer a terminal. A block without suspects is returned as it is;
    in others, colours are ended at the end of each line, so that none runs into the next prefix."""
    if len(block.translate(None, _SUSPECTS)) == len(block):
        return block
    if not keep_colours:
        return _UNWANTED.sub(b"", block)
    clean = _UNWANTED.sub(_keep_colour, block)
    return clean.replace(b"\n", _RESET + b"\n") if b"\x1b" in clean else clean


def clean_text(text: str) -> str:
    """The text without control sequences and characters, line feeds and tabs apart."""
    return _UNWANTED_TEXT.sub("", text)


def clean_event(event: AnyEvent) -> AnyEvent:
    """The event with every text in it cleaned. Log blocks stay as they are: see `neutralise`."""
    texts = {item.name: _clean(getattr(event, item.name)) for item in fields(event)}
    return replace(event, **texts)


def _clean(value: Any) -> Any:
    if isinstance(value, str):
        return clean_text(value)
    if isinstance(value, tuple | list):
        return type(value)(_clean(item) for item in value)
    if isinstance(value, dict):
        return {_clean(key): _clean(item) for key, item in value.items()}
    return value


def _keep_colour(match: re.Match[bytes]) -> bytes:
    return match[1] or b""
