"""Canonical values of files to values of the model: texts, numbers, seconds, bytes, tuples and mappings.

Empty and zero values are left out of a part, as Compose leaves them out of its output and its hash, except
for keys with `keep_zero` or `always`. All functions raise ValueError for a value that does not fit.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import Any, TypeVar

from invoke_devstack.definition.attributes.part import Key, Part
from invoke_devstack.definition.syntax.command_words import split_words
from invoke_devstack.definition.syntax.scalars import (
    date_text,
    parse_boolean,
    parse_float,
    parse_integer,
    single_precision,
    to_text,
)
from invoke_devstack.definition.syntax.tree import (
    Location,
    Steps,
    dotted,
    fail,
    kind_of,
    location_at,
)
from invoke_devstack.definition.syntax.units import Bytes, Seconds, parse_nanoseconds, parse_size

Value = TypeVar("Value")
PartType = TypeVar("PartType", bound=Part)
Decoder = Callable[[Any], Value]


class InvalidValueError(ValueError):
    """A value of the wrong kind. `steps` lead to it from the value that was decoded."""

    def __init__(self, message: str, steps: Steps = ()) -> None:
        super().__init__(message)
        self.steps = steps


def decode(value: Any, decoder: Decoder[Value], location: Location, steps: Steps) -> Value:
    """`value` decoded. Raises DefinitionError with the position of the part that does not fit."""
    try:
        return decoder(value)
    except ValueError as error:
        below = error.steps if isinstance(error, InvalidValueError) else ()
        own, place = location_at(value, below, location), (*steps, *below)
        raise fail(f"`{dotted(place)}`: {error}", own, place) from None


def below(decoder: Decoder[Value], value: Any, step: str) -> Value:
    """`value` decoded. An error gets `step` as its place."""
    try:
        return decoder(value)
    except ValueError as error:
        inner = error.steps if isinstance(error, InvalidValueError) else ()
        raise InvalidValueError(str(error), (step, *inner)) from None


def decode_part(part: type[PartType], value: Any, lenient: bool = False) -> PartType:
    """The part that a mapping describes; with `lenient`, unknown keys of it are ignored."""
    if isinstance(value, part):
        return value
    if value is not None and not isinstance(value, dict):
        raise expected("a mapping", value)
    result = object.__new__(part)
    state = result.__dict__
    for key, item in (value or {}).items():
        own = part.keys.get(key)
        if own is not None:
            _decode_key(own, item, state)
        elif key.startswith("x-"):
            state.setdefault("extensions", {})[key] = plain(item)
        elif not lenient:
            raise InvalidValueError(f"unknown key `{key}`")
    for own in part.always:
        if own.name not in state:
            state[own.name] = own.kind.decode(None)
    return result


def _decode_key(key: Key, value: Any, state: dict[str, Any]) -> None:
    if not key.stored or (value is None and key.keep_zero):
        return
    decoded = below(key.kind.decode, value, key.file_name)
    if key.keep_zero or key.always or not is_empty(decoded):
        state[key.name] = decoded


def is_empty(value: Any) -> bool:
    """Whether Compose leaves the value out: zero, an empty text or list, a part without keys."""
    return not value.__dict__ if isinstance(value, Part) else not value


def expected(what: str, value: Any) -> InvalidValueError:
    """The error for a value of another kind."""
    return InvalidValueError(f"must be {what}, not {kind_of(value)}")


def text(value: Any) -> str:
    """A text; a whole number is taken for one."""
    match value:
        case str():
            return value
        case None:
            return ""
        case int() if not isinstance(value, bool):
            return str(value)
    raise expected("a string", value)


def flag(value: Any) -> bool:
    """A boolean, also as a text."""
    match value:
        case bool():
            return value
        case None:
            return False
        case str():
            return parse_boolean(value)
    raise expected("true or false", value)


def number(value: Any) -> int:
    """A whole number, also as a text; a fraction is cut off."""
    match value:
        case None:
            return 0
        case str():
            return parse_integer(value)
        case int() | float() if not isinstance(value, bool):
            if not -(2**63) <= value < 2**63:  # nor infinite: Compose makes another number of it
                raise InvalidValueError(f"must be an integer of 64 bits, not {value}")
            return int(value)
    raise expected("an integer", value)


def integer(value: Any) -> int:
    """A whole number, not written as a text."""
    if isinstance(value, int) and not isinstance(value, bool):
        return value
    raise expected("an integer", value)


def count(value: Any) -> int:
    """A whole number that is not negative and not written as a text."""
    if isinstance(value, str):
        raise expected("an integer", value)
    result = number(value)
    if result < 0:
        raise InvalidValueError(f"must not be negative, but is {result}")
    return result


def count_up_to(highest: int) -> Decoder[int]:
    """A count with an upper limit."""

    def decoder(value: Any) -> int:
        result = count(value)
        if result > highest:
            raise InvalidValueError(f"must be at most {highest}, but is {result}")
        return result

    return decoder


def fraction(value: Any) -> float:
    """A number of 32 bits."""
    match value:
        case None:
            return 0.0
        case str():
            return single_precision(parse_float(value))
        case int() | float() if not isinstance(value, bool):
            return single_precision(float(value))
    raise expected("a number", value)


def size(value: Any) -> Bytes:
    """Bytes. Compose ignores a number with a fraction."""
    match value:
        case str():
            return Bytes(parse_size(value))
        case int() if not isinstance(value, bool):
            return Bytes(value)
    return Bytes(0)


def duration(value: Any) -> Seconds:
    """Seconds, from a text such as `1m30s`. (No file can hold a number there.)"""
    return Seconds(parse_nanoseconds(value) / 10**9 if isinstance(value, str) else value)


def octal_mode(value: Any) -> str:
    """A file mode such as `0440`, from an octal text or a number."""
    match value:
        case str():
            digits = value.lstrip("+-")
            if not digits or set(digits) - set("01234567"):
                raise InvalidValueError(f"invalid file mode `{value}`; write octal digits, such as 0440")
            return f"0{int(value, 8):o}"
        case int() if not isinstance(value, bool):
            return f"0{value:o}"
    raise expected("a file mode", value)


def command(value: Any) -> tuple[str, ...] | None:
    """The words of a command; None for no command."""
    if value is None:
        return None
    return tuple(split_words(value)) if isinstance(value, str) else texts(value)


def healthcheck_test(value: Any) -> tuple[str, ...]:
    """A test; a text is run by the shell."""
    return ("CMD-SHELL", value) if isinstance(value, str) else texts(value)


def texts(value: Any) -> tuple[str, ...]:
    """A list of texts; a text alone is a list of one."""
    return (value,) if isinstance(value, str) else list_of(text)(value)


def shown_texts(value: Any) -> tuple[str, ...]:
    """A list of texts and numbers, as texts."""
    return tuple(to_text(item) for item in value or ())


def list_of(decoder: Decoder[Value]) -> Decoder[tuple[Value, ...]]:
    """A list of values of one kind."""

    def decode_list(value: Any) -> tuple[Value, ...]:
        if value is not None and not isinstance(value, list | tuple):
            raise expected("a list", value)
        return tuple([below(decoder, item, f"[{index}]") for index, item in enumerate(value or ())])

    return decode_list


def mapping_of(decoder: Decoder[Value]) -> Decoder[dict[str, Value]]:
    """A mapping to values of one kind, in the order of its keys."""

    def decode_mapping(value: Any) -> dict[str, Value]:
        if value is not None and not isinstance(value, dict):
            raise expected("a mapping", value)
        return {key: below(decoder, item, key) for key, item in _ordered(value or {}).items()}

    return decode_mapping


def nullable(decoder: Decoder[Value]) -> Decoder[Value | None]:
    """A value, or nothing."""
    return lambda value: None if value is None else decoder(value)


def _pairs(value: Any) -> Iterator[tuple[str, Any]]:
    """Keys and values of a mapping or of a list of `KEY=value` texts; None for a key alone."""
    if isinstance(value, dict):
        yield from value.items()
        return
    for item in value or ():
        key, equals, rest = to_text(item).partition("=")
        yield key, rest if equals else None


def variables(value: Any) -> dict[str, str | None]:
    """Environment variables; None for one whose value the environment would give, but does not have."""
    result: dict[str, str | None] = {}
    for key, item in _pairs(value):
        if isinstance(value, list) and key[-1:].isspace():
            raise InvalidValueError(f"remove the space before `=` in `{key}=`")
        result[key] = None if item is None else to_text(item)
    return _ordered(result)


def labels(value: Any) -> dict[str, str]:
    """Texts by key; a key without a value has an empty one."""
    return _ordered({key: "" if item is None else to_text(item) for key, item in _pairs(value)})


def option_lists(value: Any) -> dict[str, tuple[str, ...]]:
    """Options that may be given several times."""
    lists = {key: items if isinstance(items, list) else [items] for key, items in (value or {}).items()}
    return _ordered({key: shown_texts(items) for key, items in lists.items()})


def _ordered(values: Mapping[str, Value]) -> dict[str, Value]:
    return {key: values[key] for key in sorted(values, key=str.encode)}


def plain(value: Any) -> Any:
    """A value of a user's own key, without positions, ready for JSON."""
    match value:
        case dict():
            return {key: plain(value[key]) for key in sorted(value, key=str.encode)}
        case list():
            return [plain(item) for item in value]
        case None | bool() | int() | float() | str():
            return value
    return date_text(value)
