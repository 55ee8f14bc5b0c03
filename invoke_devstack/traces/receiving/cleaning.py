"""Attributes and texts as they may be stored: secrets masked, long texts cut, and nothing that JSON lacks."""

from __future__ import annotations

import base64
import json
import math
from collections.abc import Iterable
from typing import Any

from invoke_devstack.secrets import MASK, SecretValues
from invoke_devstack.traces.receiving.recognising import is_secret_flag, names_secret, without_recognised

LONGEST = 16 * 1024  # characters of a text
_LONGEST_NAME = 256
_MOST = 256  # attributes of one span, log or resource
_LARGEST_WHOLE = 2**53 - 1  # that a browser reads exactly
_CUT = "…"


class Cleaner:
    """Masks by name and by value. `cut` counts the texts that were shortened."""

    def __init__(self, secrets: SecretValues) -> None:
        self._secrets = secrets
        self._names: dict[str, str] = {}  # a request has few, many times
        self.cut = 0

    def attributes(self, pairs: Iterable[Any], cut: list[str] | None = None) -> dict[str, Any]:
        """The values by name. `cut` gets the names of those that were shortened."""
        found: dict[str, Any] = {}
        for pair in pairs:
            if len(found) == _MOST:
                self.cut += 1
                if cut is not None:
                    cut.append(f"more than {_MOST} attributes")
                break
            before = self.cut
            name = self.name(pair.key)
            found[name] = MASK if names_secret(name) else self.value(pair.value)
            if self.cut > before and cut is not None:
                cut.append(name)
        return found

    def value(self, value: Any, depth: int = 0) -> Any:
        """A value of OTLP as JSON has it, masked."""
        kind = value.WhichOneof("value")
        if kind == "string_value":
            return self.text(value.string_value)
        if kind == "int_value":
            number = value.int_value
            return number if -_LARGEST_WHOLE <= number <= _LARGEST_WHOLE else str(number)
        if kind == "bool_value":
            return value.bool_value
        if kind == "double_value":
            return value.double_value if math.isfinite(value.double_value) else str(value.double_value)
        if kind == "bytes_value":
            return self._bytes(value.bytes_value)
        if depth > 8:
            return _CUT
        if kind == "array_value":
            return self._list(value.array_value.values[:_MOST], depth + 1)
        if kind == "kvlist_value":
            return {
                self.name(item.key): MASK if names_secret(item.key) else self.value(item.value, depth + 1)
                for item in value.kvlist_value.values[:_MOST]
            }
        return None

    def _list(self, values: Iterable[Any], depth: int) -> list[Any]:
        """In the words of a command, what follows a flag such as `--password` is masked."""
        found: list[Any] = []
        is_secret = False
        for value in values:
            found.append(MASK if is_secret else self.value(value, depth))
            is_secret = not is_secret and is_secret_flag(value.string_value)
        return found

    def _bytes(self, data: bytes) -> str:
        """In base64, unless they are a text with a secret in it, of which base64 would leave no trace."""
        text = data[: 2 * LONGEST].decode("utf-8", "replace")
        if self._masked(text) != text:
            return MASK
        return self.text(base64.b64encode(data).decode())

    def name(self, text: str) -> str:
        """A name, which is short. It may be made of a value, so what is known as secret is masked."""
        found = self._names.get(text)
        if found is None:
            short = text if len(text) <= _LONGEST_NAME else text[: _LONGEST_NAME - 1] + _CUT
            found = self._names[text] = self._secrets.hide(short)
        return found

    def title(self, text: str) -> str:
        """The name of a span or an event, or a message: masked too."""
        return self.text(text)

    def text(self, text: str) -> str:
        """A text, masked and cut. It is masked first: a secret that is cut in two is not found."""
        is_long = len(text) > LONGEST
        if len(text) > 2 * LONGEST:
            text = text[: 2 * LONGEST] + _CUT  # masks may be shorter, and bring this end into sight
        if len(text) > 2:
            text = self._masked(text)
        if is_long:
            self.cut += 1
            return text[:LONGEST].removesuffix(_CUT) + _CUT
        return text

    def _masked(self, text: str) -> str:
        return without_recognised(self._secrets.hide(text))


def to_json(data: Any) -> str:
    """Compact JSON."""
    return json.dumps(data, ensure_ascii=False, separators=(",", ":"))
