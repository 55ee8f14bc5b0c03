"""A canonical tree to the values of the model: texts, numbers, seconds, bytes, lists and mappings.

What is empty or zero is left out, as Compose leaves it out of its output and its hash, but for the
attributes where nothing and zero differ (`_kept`).
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import Any

from invoke_devstack.definition.scalars import (
    date_text,
    parse_boolean,
    parse_float,
    parse_integer,
    single_precision,
    to_text,
)
from invoke_devstack.definition.tree import Items, Mark, Steps, Table, dotted, fail, kind_of
from invoke_devstack.definition.units import format_nanoseconds, parse_nanoseconds, parse_size
from invoke_devstack.definition.words import split_words

Decoder = Callable[[Any], Any]


class MisfitError(ValueError):
    """A value that has not the kind it must have; `steps` lead to it from where it was decoded."""

    def __init__(self, message: str, steps: Steps = ()) -> None:
        super().__init__(message)
        self.steps = steps


def decode(value: Any, decoder: Decoder, mark: Mark, steps: Steps) -> Any:
    """`value` decoded. Raises DefinitionError with the position of the part that does not fit."""
    try:
        return decoder(value)
    except ValueError as error:
        below = error.steps if isinstance(error, MisfitError) else ()
        own, place = _mark_at(value, below, mark), (*steps, *below)
        raise fail(f"`{dotted(place)}`: {error}", own, place) from None


def _mark_at(value: Any, steps: Steps, mark: Mark) -> Mark:
    for step in steps:
        if isinstance(value, Table) and step in value:
            mark, value = value.mark_of(step), value[step]
        elif isinstance(value, Items) and step.startswith("["):
            index = int(step[1:-1])
            mark, value = value.marks[index], value[index]
    return mark


def _below(decoder: Decoder, value: Any, step: str) -> Any:
    try:
        return decoder(value)
    except ValueError as error:
        inner = error.steps if isinstance(error, MisfitError) else ()
        raise MisfitError(str(error), (step, *inner)) from None


def _expected(what: str, value: Any) -> MisfitError:
    return MisfitError(f"must be {what}, here is {kind_of(value)}")


def text(value: Any) -> str:
    """A text; a whole number is taken for one."""
    match value:
        case str():
            return value
        case None:
            return ""
        case int() if not isinstance(value, bool):
            return str(value)
    raise _expected("a text", value)


def flag(value: Any) -> bool:
    """A boolean, also as a text."""
    match value:
        case bool():
            return value
        case None:
            return False
        case str():
            return parse_boolean(value)
    raise _expected("true or false", value)


def number(value: Any) -> int:
    """A whole number, also as a text; a fraction is cut off."""
    match value:
        case None:
            return 0
        case str():
            return parse_integer(value)
        case int() | float() if not isinstance(value, bool):
            return int(value)
    raise _expected("a whole number", value)


def integer(value: Any) -> int:
    """A whole number, written as one."""
    if isinstance(value, int) and not isinstance(value, bool):
        return value
    raise _expected("a whole number", value)


def count(value: Any) -> int:
    """A whole number that is not negative, and not written as a text."""
    if isinstance(value, str):
        raise _expected("a whole number", value)
    result = number(value)
    if result < 0:
        raise MisfitError(f"must not be negative, here is {result}")
    return result


def count_up_to(highest: int) -> Decoder:
    """A count with a highest value."""

    def decoder(value: Any) -> int:
        result = count(value)
        if result > highest:
            raise MisfitError(f"must be at most {highest}, here is {result}")
        return result

    return decoder


def fraction(value: Any) -> float:
    """A number in 32 bits."""
    match value:
        case None:
            return 0
        case str():
            return single_precision(parse_float(value))
        case int() | float() if not isinstance(value, bool):
            return single_precision(float(value))
    raise _expected("a number", value)


def size(value: Any) -> str:
    """Bytes, as the text that Compose prints. A number with a fraction is, there, nothing at all."""
    match value:
        case str():
            return _nonzero(parse_size(value))
        case int() if not isinstance(value, bool):
            return _nonzero(value)
    return ""


def _nonzero(value: int) -> str:
    return str(value) if value else ""


def duration(value: Any) -> str:
    """A duration, as the text that Compose prints."""
    return format_nanoseconds(parse_nanoseconds(to_text(value)))


def optional_duration(value: Any) -> str:
    """A duration of which 0 is the same as none."""
    result = duration(value)
    return "" if result == "0s" else result


def octal_mode(value: Any) -> str:
    """A file mode: `0440`, from an octal text or a number."""
    match value:
        case str():
            if not value.lstrip("+-") or set(value.lstrip("+-")) - set("01234567"):
                raise MisfitError(f"`{value}` is no file mode in octal")
            return f"0{int(value, 8):o}"
        case int() if not isinstance(value, bool):
            return f"0{value:o}"
    raise _expected("a file mode", value)


def command(value: Any) -> list[str] | None:
    """A command as a list of words; None where there is none."""
    if value is None:
        return None
    return split_words(value) if isinstance(value, str) else texts(value)


def healthcheck_test(value: Any) -> list[str]:
    """A test; a text is run by the shell."""
    return ["CMD-SHELL", value] if isinstance(value, str) else texts(value)


def texts(value: Any) -> list[str]:
    """A list of texts; one text alone is a list of it."""
    if isinstance(value, str):
        return [value]
    result: list[str] = list_of(text)(value)
    return result


def shown_texts(value: Any) -> list[str]:
    """A list of texts and numbers, as texts."""
    return [to_text(item) for item in value or ()]


def list_of(decoder: Decoder) -> Decoder:
    """A list of values of one kind."""

    def decode_list(value: Any) -> list[Any]:
        if value is not None and not isinstance(value, list):
            raise _expected("a list", value)
        return [_below(decoder, item, f"[{index}]") for index, item in enumerate(value or ())]

    return decode_list


def mapping_of(decoder: Decoder) -> Decoder:
    """A mapping to values of one kind, in the order of its keys."""

    def decode_mapping(value: Any) -> dict[str, Any]:
        if value is not None and not isinstance(value, dict):
            raise _expected("a mapping", value)
        return {key: _below(decoder, item, key) for key, item in _ordered(value or {}).items()}

    return decode_mapping


def _pairs(value: Any) -> Iterator[tuple[str, Any]]:
    """Keys and values of a mapping or of a list of `key=value` texts; None for a key alone."""
    if isinstance(value, dict):
        yield from value.items()
        return
    for item in value or ():
        key, equals, rest = to_text(item).partition("=")
        yield key, rest if equals else None


def variables(value: Any) -> dict[str, str | None]:
    """Environment variables; None for one that is to be taken from the environment and is not there."""
    result: dict[str, str | None] = {}
    for key, item in _pairs(value):
        if isinstance(value, list) and key[-1:].isspace():
            raise MisfitError(f"the variable `{key}` has a space before its `=`")
        result[key] = None if item is None else to_text(item)
    return _ordered(result)


def labels(value: Any) -> dict[str, str]:
    """Texts by key; a key without a value has an empty one."""
    return _ordered({key: "" if item is None else to_text(item) for key, item in _pairs(value)})


def text_options(value: Any) -> dict[str, str]:
    """Texts by key, where nothing but texts and whole numbers is taken."""
    result: dict[str, str] = mapping_of(text)(value)
    return result


def option_lists(value: Any) -> dict[str, list[str]]:
    """Options that may be given several times."""
    return _ordered(
        {
            key: [to_text(item) for item in (items if isinstance(items, list) else [items])]
            for key, items in (value or {}).items()
        }
    )


def _ordered(values: Mapping[str, Any]) -> dict[str, Any]:
    return {key: values[key] for key in sorted(values, key=str.encode)}


def record(
    fields: Mapping[str, Decoder], kept: frozenset[str] = frozenset(), always: Mapping[str, Any] | None = None
) -> Decoder:
    """A mapping with known keys. `always` stands for keys that Compose prints even where they are not."""

    def decode_record(value: Any) -> dict[str, Any]:
        if value is not None and not isinstance(value, dict):
            raise _expected("a mapping", value)
        result: dict[str, Any] = dict(always or {})
        for key, item in (value or {}).items():
            if key in fields:
                decoded = None if item is None and key in kept else _below(fields[key], item, key)
                if decoded or (key in kept and decoded is not None) or (always and key in always):
                    result[key] = decoded
            elif key.startswith("x-"):
                result.setdefault("extensions", {})[key] = plain(item)
        return result

    return decode_record


def plain(value: Any) -> Any:
    """A value of the user's own, without positions, ready for JSON."""
    match value:
        case dict():
            return {key: plain(value[key]) for key in sorted(value, key=str.encode)}
        case list():
            return [plain(item) for item in value]
        case None | bool() | int() | float() | str():
            return value
    return date_text(value)
