"""`examine()`: every given key that a cluster does not carry out as it is written, with its place."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from invoke_devstack.definition.attributes.decode import is_empty
from invoke_devstack.definition.attributes.given import Given, given_below
from invoke_devstack.definition.model import Definition
from invoke_devstack.errors import Position
from invoke_devstack.planning.preflight.fates import NOT_KNOWN, Fate, How, Remark, Scene, Version
from invoke_devstack.planning.preflight.findings import Finding, FindingKind

_KINDS: Mapping[How, FindingKind] = {
    How.TRANSLATED: FindingKind.TRANSLATED,
    How.IGNORED: FindingKind.IGNORED,
    How.SINCE: FindingKind.IGNORED,
    How.DIFFERENT: FindingKind.DIFFERENT,
    How.IMPOSSIBLE: FindingKind.IMPOSSIBLE,
}


def examine(definition: Definition, keys: Mapping[str, Fate], api: Version = (0, 0)) -> tuple[Finding, ...]:
    """What becomes of a definition where `keys` says what becomes of each key, in the order of the files."""
    found = [
        finding
        for given, scene in _given(definition, api)
        for finding in _findings(given, scene, fate_of(keys, given.declared))
    ]
    return tuple(sorted(found, key=_order))


def fate_of(keys: Mapping[str, Fate], declared: str) -> Fate:
    """The row of a key: its own, or the closest above it that is for all below. `NOT_KNOWN` without one."""
    return next((keys[place] for place in _rows_for(declared) if place in keys), NOT_KNOWN)


def _rows_for(declared: str) -> Iterator[str]:
    yield declared
    above = declared
    while "." in above:
        above = above.rpartition(".")[0]
        yield f"{above}.*"


def _given(definition: Definition, api: Version) -> Iterator[tuple[Given, Scene]]:
    for name, service in definition.services.items():
        scene = Scene(definition, service, api)
        for given in given_below(service, "services.*", f"services.{name}"):
            yield given, scene
    for kind in ("networks", "volumes", "secrets", "configs"):
        resources: Mapping[str, Any] = getattr(definition, kind)
        for given in given_below(resources, kind, kind):
            yield given, Scene(definition, None, api)


def _findings(given: Given, scene: Scene, fate: Fate) -> Iterator[Finding]:
    if is_empty(given.value) and fate.judge is None:
        return
    place = _place(scene.definition, given.key)
    for remark in _remarks(fate, given, scene):
        yield Finding(remark.kind, remark.level, given.key, remark.text, remark.hint, place)


def _remarks(fate: Fate, given: Given, scene: Scene) -> Iterator[Remark]:
    if fate.judge is not None:
        yield from fate.judge(given, scene)
    elif fate.how is How.SINCE:
        if scene.api < fate.api:
            yield Remark(_KINDS[fate.how], fate.level, _too_old(fate.api, scene.api))
    elif fate.how in _KINDS:
        yield Remark(_KINDS[fate.how], fate.level, fate.text, fate.hint)


def _too_old(needed: Version, api: Version) -> str:
    return f"the engines need API {needed[0]}.{needed[1]} for it, and have {api[0]}.{api[1]}"


def _place(definition: Definition, key: str) -> Position | None:
    """Where a key was written, or else the closest one above it."""
    while key:
        origin = definition.origins.get(key)
        if origin is not None:
            return origin.position
        key = key[: max(key.rfind("."), key.rfind("["), 0)]
    return None


def _order(finding: Finding) -> tuple[str, int]:
    place = finding.place
    return (str(place.file), place.line or 0) if place else ("", 0)
