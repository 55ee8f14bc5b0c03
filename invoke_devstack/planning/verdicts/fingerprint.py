"""A fingerprint of what a container was created from, key by key, so that a cause can name what changed.

It is a label: `{"image":"5f3a9c01","environment":{"DEBUG":"90be12aa"},"bind":"127.0.0.1"}`. Values are
short hashes, salted with the service's name.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from hashlib import blake2s
from typing import TYPE_CHECKING, Any

from invoke_devstack.planning import labels
from invoke_devstack.planning.bodies.hashes import hashed_values
from invoke_devstack.planning.observed import ObservedContainer
from invoke_devstack.planning.plan import InjectedFile
from invoke_devstack.secrets import MASK, SecretValues, masked

if TYPE_CHECKING:
    from invoke_devstack.definition.model import Service

CONNECT = "connect"
TRACES = "traces"
UNHASHED_BY_COMPOSE = ("files", "bind", CONNECT, TRACES)
"""Parts that are not in Compose's hash."""

_LONGEST = 60
"""Characters of a value in a cause."""

Fingerprint = dict[str, Any]


def fingerprint(
    service: Service,
    files: tuple[InjectedFile, ...],
    bind: str,
    connect: Mapping[str, str],
    traces: Mapping[str, str],
) -> Fingerprint:
    """The fingerprint of a container of `service`. The content of injected `files` is part of it, and `bind`
    where a port has no host address. `connect` are the variables from `x-devstack.connect`, `traces` those of
    `up --trace`."""
    values = hashed_values(service, {})
    prints: Fingerprint = {key: _print_of(service.name, key, value) for key, value in values.items()}
    if files:
        prints["files"] = {file.path: _hash(service.name, file.content.hex()) for file in files}
    if connect:
        prints[CONNECT] = _print_of(service.name, CONNECT, dict(connect))
    if traces:
        prints[TRACES] = _hash(service.name, dict(traces))
    if any(port.host_ip is None for port in service.ports):
        prints["bind"] = bind
    return prints


def _print_of(salt: str, key: str, value: object) -> object:
    """Of a mapping, the fingerprint of each member."""
    if isinstance(value, dict):
        return {name: _hash(f"{salt}/{name}", part) for name, part in value.items()}
    return _hash(f"{salt}/{key}", value)


def _hash(salt: str, value: object) -> str:
    text = json.dumps(value, sort_keys=True, default=str)
    return blake2s(f"{salt}\0{text}".encode(), digest_size=4).hexdigest()


def label_text(prints: Fingerprint) -> str:
    return json.dumps(prints, separators=(",", ":"), sort_keys=True)


def read_fingerprint(container: ObservedContainer) -> Fingerprint | None:
    """None for a container created by Compose, and for an unreadable label."""
    try:
        prints = json.loads(container.labels.get(labels.INPUTS, ""))
    except ValueError:
        return None
    return prints if isinstance(prints, dict) else None


def changes(old: Fingerprint, new: Fingerprint) -> tuple[str, ...]:
    """The keys that differ, such as `environment.DEBUG` or `command`, sorted."""
    return tuple(sorted(_changes(old, new)))


def _changes(old: Fingerprint, new: Fingerprint) -> Iterator[str]:
    for key in old.keys() | new.keys():
        before, after = old.get(key), new.get(key)
        if before == after:
            continue
        if isinstance(before, dict) or isinstance(after, dict):
            parts = _changes(
                before if isinstance(before, dict) else {}, after if isinstance(after, dict) else {}
            )
            yield from (f"{key}.{part}" for part in parts)
        else:
            yield key


def describe_changes(
    changed: tuple[str, ...], container: ObservedContainer, service: Service, bind: str, *, traced: bool
) -> str:
    """The changes for people: `environment: DEBUG 0 -> 1; ports changed`. `traced`: it sends traces now."""
    prints = read_fingerprint(container) or {}
    secrets = _secrets_of(container, service)
    grouped: dict[str, list[str]] = {}
    texts: list[str] = []
    for path in changed:
        key, _, part = path.partition(".")
        if key == TRACES:
            texts.append(f"traces {'off' if not traced else 'changed' if TRACES in prints else 'on'}")
            continue
        described = _describe(key, part, container, service, prints, bind, secrets)
        grouped.setdefault(key, []).extend([described] if described else [])
    texts += (f"{key}: {', '.join(parts)}" if parts else f"{key} changed" for key, parts in grouped.items())
    return "; ".join(texts)


def _describe(
    key: str,
    part: str,
    container: ObservedContainer,
    service: Service,
    prints: Fingerprint,
    bind: str,
    secrets: SecretValues,
) -> str:
    match key:
        case "environment":
            if container.environment is None:
                return part
            return _change(part, container.environment.get(part), service.environment.get(part), secrets)
        case "labels":
            return _change(part, container.labels.get(part), service.labels.get(part), secrets)
        case "image":
            return f"{container.image} -> {service.image}"
        case "bind":
            return f"{prints.get('bind') or 'all addresses'} -> {bind or 'all addresses'}"
        case "command" if container.command is not None and service.command is not None:
            before, after = (secrets.hide(" ".join(words)) for words in (container.command, service.command))
            return "" if MASK in before + after else f"{_shown(before)} -> {_shown(after)}"
    return part


def _secrets_of(container: ObservedContainer, service: Service) -> SecretValues:
    """Those of the container too: it may have been created with others."""
    secrets = SecretValues()
    for item in (container, service):
        secrets.learn([item.environment or {}, dict(item.labels), list(item.command or ())])
    return secrets


def _change(name: str, old: str | None, new: str | None, secrets: SecretValues) -> str:
    before = "(none)" if old is None else _shown(secrets.hide(masked(name, old)))
    after = "(none)" if new is None else _shown(secrets.hide(masked(name, new)))
    return f"{name} {before} -> {after}"


def _shown(value: str) -> str:
    text = value.replace("\n", "⏎")
    text = text if len(text) <= _LONGEST else f"{text[:_LONGEST]}…"
    return text or '""'
