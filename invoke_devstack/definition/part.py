"""`Part`: the base of all that a definition is made of. A frozen object that knows which of its keys were
given, reads nested mappings into the parts that its annotations name, and costs next to nothing to define.

The values come from `decode`, which has checked them against the files' positions. What is checked here
guards against a mistake of ours: a key that there is not, or a value of another type than is annotated.
(pydantic did the same at 90 ms for each command, a quarter of an `up` that has nothing to do.)
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Mapping
from inspect import get_annotations
from types import NoneType, UnionType
from typing import (
    Any,
    ClassVar,
    Literal,
    NoReturn,
    Self,
    TypeVar,
    Union,
    dataclass_transform,
    get_args,
    get_origin,
)

from invoke_devstack.definition.units import Bytes, Seconds

Reader = Callable[[Any], Any]
_Value = TypeVar("_Value")
_REQUIRED: Any = object()


class Key:
    """What is special about a key. See `key`."""

    def __init__(self, default: Any, exclude: bool, shown: bool, written_as: str, checked: bool) -> None:
        self.default = default
        self.exclude = exclude
        self.shown = shown
        self.written_as = written_as
        self.checked = checked


def key(
    *,
    default: Any = _REQUIRED,
    exclude: bool = False,
    shown: bool = True,
    written_as: str = "",
    checked: bool = True,
) -> Any:
    """A key of a part that is not ordinary: left out of what Compose prints (`exclude`), and of `repr`
    (unless `shown`); written otherwise in the files (`written_as`); or taken as it is (unless `checked`)."""
    return Key(default, exclude, shown, written_as, checked)


@dataclass_transform(kw_only_default=True, frozen_default=True, field_specifiers=(key,))
class Part:
    """Base of all parts of a definition: frozen. `extensions` are its `x-*` keys, as they were written.

    Only what was given is in the instance; every default is an attribute of the class.
    """

    keys: ClassVar[Mapping[str, Key]] = {}
    _readers: ClassVar[dict[str, Reader]]
    _written: ClassVar[Mapping[str, str]] = {}  # as it stands in the files -> the key
    _required: ClassVar[frozenset[str]] = frozenset()

    extensions: Mapping[str, Any] = {}

    def __init_subclass__(cls) -> None:
        own: dict[str, Key] = {}
        for name in get_annotations(cls):
            value = cls.__dict__.get(name, _REQUIRED)
            found = value if isinstance(value, Key) else Key(value, False, True, "", True)
            own[name] = found
            if found.default is not _REQUIRED:
                setattr(cls, name, found.default)
            elif name in cls.__dict__:
                delattr(cls, name)
        cls.keys = {**(cls.keys or _COMMON), **own}
        cls._readers = {}
        cls._written = {item.written_as: name for name, item in cls.keys.items() if item.written_as}
        cls._required = frozenset(name for name, item in cls.keys.items() if item.default is _REQUIRED)

    def __init__(self, **values: Any) -> None:
        """Raises TypeError for a unknown or missing key, and for a value of a wrong type."""
        state = self.__dict__
        for name, value in values.items():
            state[name] = self._reader(name)(value)
        if not self._required <= state.keys():
            raise TypeError(f"{type(self).__name__} without {sorted(self._required - state.keys())}")

    @classmethod
    def read(cls, values: Mapping[str, Any]) -> Self:
        """The part that `values` says, nested ones too."""
        return cls(**{cls._written.get(name, name): value for name, value in values.items()})

    def copy_with(self, changes: Mapping[str, Any]) -> Self:
        """The same part with other values for some keys."""
        twin = object.__new__(type(self))
        twin.__dict__.update(self.__dict__)
        twin.__dict__.update(changes)
        return twin

    @property
    def given(self) -> frozenset[str]:
        """The keys that have a value of their own, be it the default one."""
        return frozenset(self.__dict__)

    def as_data(self) -> dict[str, Any]:
        """What was given, as plain data without what Compose does not print."""
        state = self.__dict__
        return {
            name: _plain(state[name])
            for name, item in self.keys.items()
            if name in state and not item.exclude
        }

    def __setattr__(self, name: str, value: object) -> NoReturn:
        raise AttributeError(f"{type(self).__name__}.{name} cannot be changed")

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, Part) or type(other) is not type(self):
            return NotImplemented
        return all(getattr(self, name) == getattr(other, name) for name in self.keys)

    def __repr__(self) -> str:
        shown = (f"{name}={value!r}" for name, value in self.__dict__.items() if self.keys[name].shown)
        return f"{type(self).__name__}({', '.join(shown)})"

    @classmethod
    def _reader(cls, name: str) -> Reader:
        """How a value of the key is read; found out once it is needed."""
        reader = cls._readers.get(name)
        if reader is None:
            if name not in cls.keys:
                raise TypeError(f"{cls.__name__} has no `{name}`")
            reader = _as_it_is
            if cls.keys[name].checked:
                reader = _reader_of(_annotation(cls, name), f"{cls.__name__}.{name}")
            cls._readers[name] = reader
        return reader


_COMMON = {"extensions": Key({}, exclude=True, shown=False, written_as="", checked=False)}


def _annotation(cls: type[Part], name: str) -> Any:
    owner = next(item for item in cls.__mro__ if name in get_annotations(item))
    # `typing.get_type_hints` would evaluate the annotations of all keys at once.
    return eval(owner.__annotations__[name], vars(sys.modules[owner.__module__]))


def _reader_of(wanted: Any, where: str) -> Reader:
    origin = get_origin(wanted)
    if origin is tuple:
        return _tuple_reader(_reader_of(get_args(wanted)[0], where))
    if origin is Literal:
        return _literal_reader(get_args(wanted), where)
    if origin in (Union, UnionType):
        return _union_reader(get_args(wanted), where)
    if wanted is Any:
        return _as_it_is
    if origin is not None:
        return _mapping_reader(_reader_of(get_args(wanted)[1], where))
    return _plain_reader(wanted, where)


def _tuple_reader(each: Reader) -> Reader:
    return lambda values: tuple([each(value) for value in values])


def _mapping_reader(each: Reader) -> Reader:
    return lambda values: {name: each(value) for name, value in values.items()}


def _literal_reader(allowed: tuple[Any, ...], where: str) -> Reader:
    def read(value: Any) -> Any:
        if value not in allowed:
            raise TypeError(f"{where}: {value!r} is none of {allowed}")
        return value

    return read


def _union_reader(members: tuple[Any, ...], where: str) -> Reader:
    """One of them may be None, one a part (which comes as a mapping), and one anything else."""
    parts = [item for item in members if isinstance(item, type) and issubclass(item, Part)]
    others = [item for item in members if item is not NoneType and item not in parts]
    of_part = _reader_of(parts[0], where) if parts else None
    of_other = _reader_of(others[0], where) if others else of_part
    optional = NoneType in members

    def read(value: Any) -> Any:
        if value is None and optional:
            return None
        if of_part and isinstance(value, Mapping | Part):
            return of_part(value)
        assert of_other is not None
        return of_other(value)

    return read


def _plain_reader(wanted: Any, where: str) -> Reader:
    if issubclass(wanted, Part):
        return lambda value: value if isinstance(value, wanted) else wanted.read(value)
    if issubclass(wanted, Seconds | Bytes):
        return lambda value: value if isinstance(value, wanted) else wanted.parse(value)

    def read(value: Any) -> Any:
        if isinstance(value, wanted):
            return value
        if wanted is float and isinstance(value, int):
            return float(value)
        raise TypeError(f"{where}: {value!r} is no {wanted.__name__}")

    return read


def _as_it_is(value: _Value) -> _Value:
    return value


def _plain(value: Any) -> Any:
    match value:
        case Part():
            return value.as_data()
        case Seconds() | Bytes():
            return str(value)
        case Mapping():
            return {name: _plain(item) for name, item in value.items()}
        case tuple():
            return [_plain(item) for item in value]
    return value
