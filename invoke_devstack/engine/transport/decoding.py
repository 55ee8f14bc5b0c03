"""The JSON of an engine, within bounds: what answers may be a proxy, a broken engine, or something else."""

from __future__ import annotations

import json
from typing import Any, NoReturn

from invoke_devstack.late_patterns import late

_MOST_VALUES = 1_000_000  # in one answer; each takes up to 200 bytes of memory
_DEEPEST = 150  # levels
_DEEP = late(rb"[\[{](?:[^\[\]{}]*[\[{]){%d}" % _DEEPEST)
_LONE_SURROGATE = late(
    r"\\u[dD][89abAB][0-9a-fA-F]{2}(?!\\u[dD][c-fC-F])|(?<!\\u[dD][89abAB][0-9a-fA-F]{2})\\u[dD][c-fC-F][0-9a-fA-F]{2}"
)


def decode(content: bytes) -> Any:
    """The value. Raises ValueError with a sentence that says what is wrong."""
    openings = content.count(b"[") + content.count(b"{")
    if openings > _DEEPEST and _DEEP.search(content):
        raise ValueError("it is nested too deeply")
    if openings + content.count(b",") > _MOST_VALUES:
        raise ValueError("it has too many values")
    try:
        return _DECODER.decode(_text(content))
    except UnicodeDecodeError:
        raise ValueError("it is not UTF-8") from None
    except json.JSONDecodeError as error:
        raise ValueError(f"it is not JSON ({error.msg}); it starts with {_beginning(content)}") from None
    except RecursionError:
        raise ValueError("it is nested too deeply") from None
    except ValueError:  # NaN, Infinity, or more digits than Python reads
        raise ValueError("it has a number that no engine sends") from None


def _text(content: bytes) -> str:
    text = content.decode("utf-8")
    # Half of a pair is no character, and cannot be printed.
    return _LONE_SURROGATE.sub(r"\\ufffd", text) if "\\ud" in text or "\\uD" in text else text


def _beginning(content: bytes) -> str:
    return repr(content[:40].decode("utf-8", "replace")) if content.strip() else "nothing"


def _refuse(name: str) -> NoReturn:
    raise ValueError(name)


_DECODER = json.JSONDecoder(parse_constant=_refuse)
