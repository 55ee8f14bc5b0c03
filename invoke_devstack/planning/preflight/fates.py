"""What can become of a key in a swarm."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from enum import StrEnum
from typing import TypeAlias

from invoke_devstack.definition.attributes.given import Given
from invoke_devstack.definition.model import Definition, Service
from invoke_devstack.planning.preflight.findings import FindingKind, Level
from invoke_devstack.records import record

Version: TypeAlias = tuple[int, int]


class How(StrEnum):
    """Who carries a key out, or that nobody does."""

    SAME = "same"  # the swarm, as written
    TRANSLATED = "translated"  # the swarm, under another key
    READING = "reading"  # the files are read with it
    DEPLOY = "deploy"  # `invoke deploy` itself
    HERE = "here"  # it concerns this machine alone
    IGNORED = "ignored"
    DIFFERENT = "different"
    IMPOSSIBLE = "impossible"
    PARENT = "parent"  # named with the key above it
    DEPENDS = "depends"  # on the value
    SINCE = "since"  # on the version of the engines


@record
class Remark:
    """What is said about one value."""

    kind: FindingKind
    level: Level
    text: str
    hint: str = ""


@record
class Scene:
    """What a judgement may look at besides the value."""

    definition: Definition
    service: Service | None
    api: Version


Judge: TypeAlias = Callable[[Given, Scene], Iterator[Remark]]


@record
class Fate:
    """`text` says what happens instead, `hint` what to do."""

    how: How
    text: str = ""
    hint: str = ""
    judge: Judge | None = None
    api: Version = (0, 0)
    level: Level = Level.INFO


SAME = Fate(How.SAME)


def in_reading() -> Fate:
    return Fate(How.READING)


def by_deploy() -> Fate:
    return Fate(How.DEPLOY)


def here_only() -> Fate:
    return Fate(How.HERE)


def with_parent() -> Fate:
    return Fate(How.PARENT)


def translated(target: str) -> Fate:
    return Fate(How.TRANSLATED, f"carried out as {target}")


def ignored(text: str, hint: str = "") -> Fate:
    return Fate(How.IGNORED, text, hint, level=Level.WARNING)


def different(text: str, hint: str = "") -> Fate:
    return Fate(How.DIFFERENT, text, hint, level=Level.WARNING)


def impossible(text: str, hint: str = "") -> Fate:
    return Fate(How.IMPOSSIBLE, text, hint, level=Level.ERROR)


NOT_KNOWN = ignored("a deployment does not know this key, so the containers start without it")
"""That of a key without a row: a new one is named until somebody says what becomes of it."""


def depends(judge: Judge) -> Fate:
    return Fate(How.DEPENDS, judge=judge)


def since(api: Version, *, impossible: bool = False) -> Fate:
    """Carried out by engines from an API version on."""
    return Fate(How.SINCE, api=api, level=Level.ERROR if impossible else Level.WARNING)
