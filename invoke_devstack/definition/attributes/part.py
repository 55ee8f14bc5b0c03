"""How a key of the Compose Specification is declared: one line in the class of the part that it belongs to.

    class Healthcheck(Part):
        retries: int | None = key(COUNT, keep_zero=True)

The line gives the key's name and its type in the model. The `ValueType` says what a file may hold there and
what each step of reading does with it; `types.py` has the common ones. Checking, merging, interpolation,
long forms, paths, decoding, output and the hash all read these declarations, so nothing else lists keys.

Keys are in the order in which Docker Compose prints them, because its hash depends on that order.

Not pydantic and not dataclasses: they would add 90 ms and 25 ms to the start of every command.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from typing import (
    TYPE_CHECKING,
    Any,
    ClassVar,
    Generic,
    NoReturn,
    Self,
    TypeAlias,
    TypedDict,
    TypeVar,
    Unpack,
    cast,
    dataclass_transform,
    overload,
)

from invoke_devstack.definition.syntax.tree import Location, Steps

if TYPE_CHECKING:

    class _Options(TypedDict, total=False):
        required: bool
        keep_zero: bool
        always: bool
        hashed: bool
        printed: bool
        shown: bool
        carried_out: bool
        json_name: str
        file_name: str


T = TypeVar("T")
T_co = TypeVar("T_co", covariant=True)

Rewrite: TypeAlias = Callable[..., Any]
"""(value, location, steps) -> the value to put in its place. `resolve` also gets what paths start from."""

Merge: TypeAlias = "Callable[[Any, Any, ValueType[Any], Steps, Location], Any]"
"""(base, override, type, steps, location of the override) -> the merged value."""

ANY_NAME = re.compile(r"")


@dataclass_transform(frozen_default=True)
class _Settings:
    """Base of records with many settings of which few differ from their defaults: only those are stored."""

    def __init__(self, *first: Any, **settings: Any) -> None:
        names = type(self).__annotations__
        settings.update(zip(names, first, strict=False))
        if not settings.keys() <= names.keys():
            raise TypeError(f"unknown settings {sorted(settings.keys() - names.keys())}")
        self.__dict__.update(settings)


class ValueType(_Settings, Generic[T_co]):
    """What a value may be in a file, and what each step of reading does with it.

    The alternatives of a value always differ in kind (a text, a list, a mapping …), so one type holds them
    all and an error can name what was expected.
    """

    decode: Callable[[Any], T_co]  # raises ValueError
    default: T_co  # in the model, where the files leave the key out

    # Accepted kinds
    text: bool = False
    number: bool = False
    integer: bool = False
    boolean: bool = False
    nothing: bool = False
    choices: tuple[str, ...] = ()  # the only texts
    pattern: re.Pattern[str] | None = None  # that a text must contain
    expected: str = ""  # `pattern` in words
    lowest: int | None = None
    highest: int | None = None
    items: ValueType[Any] | None = None  # a list of these
    distinct: bool = False  # no scalar twice in that list
    part: type[Part] | None = None  # a mapping with the keys of a part
    values: ValueType[Any] | None = None  # a mapping of free names to these
    names: re.Pattern[str] = ANY_NAME  # of those names
    lenient: bool = False  # unknown keys pass, and no key is required
    pairs: bool = False  # a list of it holds `KEY=value` texts

    # Steps, in the order in which they happen
    cast: Callable[[str], Any] | None = None  # a text to a number or boolean, while variables are filled in
    promote: Rewrite | None = None  # both sides of a merge to one form
    merge: Merge | None = None
    unique: Rewrite | None = None  # of list entries with the same meaning, the last one stays
    expand: Rewrite | None = None  # short form to long form
    complete: Rewrite | None = None  # defaults of keys that are left out
    verify: Rewrite | None = None  # rules about this value alone; raises DefinitionError
    resolve: Rewrite | None = None  # relative paths to absolute ones

    def but(self, **changes: Any) -> Self:
        """The same type with some settings changed."""
        return type(self)(**{**self.__dict__, **changes})

    def below(self, step: str) -> ValueType[Any] | None:
        """The type of the value at a key or index; None for one that has no type."""
        if step.startswith("["):
            return self.items
        if self.part is None:
            return self.values
        own = self.part.keys.get(step)
        return own.kind if own else None

    def keys_with(self, rewrite: str) -> Mapping[str, ValueType[Any]]:
        """The keys of the part that have a rewrite, or something below them has it."""
        if self.part is None:
            return {}
        if rewrite not in self.part.rewritten:
            self.part.rewritten[rewrite] = {
                name: item.kind for name, item in self.part.keys.items() if item.kind.has_below(rewrite)
            }
        return self.part.rewritten[rewrite]

    def has_below(self, rewrite: str) -> bool:
        """Whether this type or one below it has a rewrite."""
        if getattr(self, rewrite) is not None or self.keys_with(rewrite):
            return True
        return any(item is not None and item.has_below(rewrite) for item in (self.items, self.values))


class Key(_Settings):
    """One key of a part; see `key`."""

    kind: ValueType[Any]
    default: Any = None
    name: str = ""  # of the model's field
    file_name: str = ""
    required: bool = False
    keep_zero: bool = False
    always: bool = False
    hashed: bool = True
    printed: bool = True
    shown: bool = True
    stored: bool = True
    carried_out: bool = True
    json_name: str = ""

    def __set_name__(self, owner: object, name: str) -> None:
        self.__dict__.update(name=name, file_name=self.file_name or name)


@overload
def key(kind: ValueType[T], /, **options: Unpack[_Options]) -> T: ...


@overload
def key(kind: ValueType[T], /, *, default: None, **options: Unpack[_Options]) -> T | None: ...


@overload
def key(kind: ValueType[T | None], /, *, default: T, **options: Unpack[_Options]) -> T: ...


def key(kind: ValueType[Any], /, **options: Any) -> Any:
    """Declares a key of a part. Options:

    - `default`: the value in the model where the files say nothing; else the type's
    - `required`: a file must have the key
    - `keep_zero`: an empty or zero value differs from none, and Compose prints it
    - `always`: Compose prints the key in JSON even where the files leave it out
    - `hashed=False`: not in the hash by which Compose knows a container
    - `printed=False`: Compose does not print it
    - `shown=False`: not in `repr`, for what may be a secret
    - `carried_out=False`: accepted, and without effect on a single engine
    - `json_name`: its name in Compose's JSON, where that differs from the files
    - `file_name`: its name in the files, where that differs from the model
    """
    return Key(kind, **{"default": kind.default, **options})


def dropped(kind: ValueType[Any]) -> Any:
    """Declares a key that files may have and that is not in the model, as in Compose."""
    return Key(kind, stored=False)


class _Derived:
    def __init__(self, default: Any) -> None:
        self.default = default


def derived(default: T) -> T:
    """Declares a field of the model that files cannot set."""
    return cast("T", _Derived(default))


@dataclass_transform(kw_only_default=True, frozen_default=True)
class Part:
    """Base of all parts of a definition. Frozen; only given values are in the instance, and defaults are
    attributes of the class. `extensions` are its `x-*` keys, as they were written."""

    keys: ClassVar[Mapping[str, Key]] = {}  # by their names in the files
    fields: ClassVar[Mapping[str, Key | None]] = {"extensions": None}  # of the model; None: not in files
    always: ClassVar[tuple[Key, ...]] = ()  # keys that Compose prints without a value too
    rewritten: ClassVar[dict[str, dict[str, ValueType[Any]]]] = {}  # by step, the keys that take part in it
    printed_as_text: ClassVar[bool] = False  # Compose prints `str(part)`
    extensible: ClassVar[bool] = True  # files may have `x-*` keys

    extensions: Mapping[str, Any] = {}

    def __init_subclass__(cls, extensible: bool = True) -> None:
        own = {name: value for name, value in vars(cls).items() if isinstance(value, Key | _Derived)}
        for name, value in own.items():
            setattr(cls, name, value.default)
        keys = {value.file_name: value for value in own.values() if isinstance(value, Key)}
        cls.keys = {**cls.keys, **keys}
        cls.fields = {**cls.fields, **dict.fromkeys(own), **{item.name: item for item in keys.values()}}
        cls.always = tuple(item for item in cls.keys.values() if item.always)
        cls.rewritten = {}
        cls.extensible = extensible

    def __init__(self, **values: Any) -> None:
        """Raises TypeError for an unknown key."""
        unknown = values.keys() - self.fields.keys()
        if unknown:
            raise TypeError(f"{type(self).__name__} has no key {', '.join(sorted(unknown))}")
        self.__dict__.update(values)

    @classmethod
    def read(cls, values: Mapping[str, Any]) -> Self:
        """The part that a file with these values in their long form describes. Raises ValueError."""
        from invoke_devstack.definition.attributes.decode import decode_part

        return decode_part(cls, dict(values))

    def copy_with(self, changes: Mapping[str, Any]) -> Self:
        """The same part with other values for some keys."""
        twin = object.__new__(type(self))
        twin.__dict__.update(self.__dict__)
        twin.__dict__.update(changes)
        return twin

    @property
    def given(self) -> frozenset[str]:
        """The keys that have a value of their own, even if it equals the default."""
        return frozenset(self.__dict__)

    def __setattr__(self, name: str, value: object) -> NoReturn:
        raise AttributeError(f"{type(self).__name__}.{name} cannot be changed")

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, Part) or type(other) is not type(self):
            return NotImplemented
        return all(getattr(self, name) == getattr(other, name) for name in self.fields)

    def __repr__(self) -> str:
        hidden = {"extensions", *(item.name for item in self.keys.values() if not item.shown)}
        shown = (f"{name}={value!r}" for name, value in self.__dict__.items() if name not in hidden)
        return f"{type(self).__name__}({', '.join(shown)})"
