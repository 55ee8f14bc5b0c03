"""A fingerprint of what a container was made from, part by part, so that a change can be named.

It is a label: `{"image":"5f3a9c01","environment":{"DEBUG":"90be12aa"},"bind":"127.0.0.1"}`. Values are
in it as short hashes alone, salted with the service's name.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from hashlib import blake2s
from typing import TYPE_CHECKING, Any

from invoke_devstack.planning import labels as label
from invoke_devstack.planning.hashes import hashed_values
from invoke_devstack.planning.observed import ObservedContainer
from invoke_devstack.planning.plan import InjectedFile
from invoke_devstack.secrets import looks_secret, masked

if TYPE_CHECKING:
    from invoke_devstack.definition.model import Service

_NAMED = (
    "environment",
    "labels",
    "networks",
    "sysctls",
    "ulimits",
    "healthcheck",
    "deploy",
    "logging",
    "connect",
)
"""Keys whose parts are told apart."""

_LONGEST = 60
"""Characters of a value in a cause."""

Fingerprint = dict[str, Any]


def fingerprint(
    service: Service, files: tuple[InjectedFile, ...], bind: str, connect: Mapping[str, str]
) -> Fingerprint:
    """`files` are injected ones: their content counts too. `bind` counts where a port has no host
    address of its own. `connect` are the variables that `x-devstack.connect` gives."""
    values = hashed_values(service, {})
    prints: Fingerprint = {key: _print_of(service.name, key, value) for key, value in values.items()}
    if files:
        prints["files"] = {file.path: _hash(service.name, file.content.hex()) for file in files}
    if connect:
        prints["connect"] = _print_of(service.name, "connect", dict(connect))
    if any(port.host_ip is None for port in service.ports):
        prints["bind"] = bind
    return prints


def _print_of(salt: str, key: str, value: object) -> object:
    if key in _NAMED and isinstance(value, dict):
        return {name: _hash(f"{salt}/{name}", part) for name, part in value.items()}
    return _hash(f"{salt}/{key}", value)


def _hash(salt: str, value: object) -> str:
    text = json.dumps(value, sort_keys=True, default=str)
    return blake2s(f"{salt}\0{text}".encode(), digest_size=4).hexdigest()


def label_text(prints: Fingerprint) -> str:
    return json.dumps(prints, separators=(",", ":"), sort_keys=True)


def read_fingerprint(container: ObservedContainer) -> Fingerprint | None:
    """That of a container that we made; None of one of Compose's, or of an unreadable label."""
    try:
        prints = json.loads(container.labels.get(label.INPUTS, ""))
    except ValueError:
        return None
    return prints if isinstance(prints, dict) else None


def changes(old: Fingerprint, new: Fingerprint) -> tuple[str, ...]:
    """The keys that differ, as `environment.DEBUG` or `command`, in alphabetical order."""
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


def cause_of(changed: tuple[str, ...], container: ObservedContainer, service: Service, bind: str) -> str:
    """The changes as a phrase for people: `environment: DEBUG 0 -> 1`, `command, ports`."""
    prints = read_fingerprint(container) or {}
    grouped: dict[str, list[str]] = {}
    for path in changed:
        key, _, part = path.partition(".")
        described = _describe(key, part, container, service, prints, bind)
        grouped.setdefault(key, []).extend([described] if described else [])
    return "; ".join(
        f"{key}: {', '.join(parts)}" if parts else f"{key} changed" for key, parts in grouped.items()
    )


def _describe(
    key: str, part: str, container: ObservedContainer, service: Service, prints: Fingerprint, bind: str
) -> str:
    match key:
        case "environment":
            return _environment_change(part, container, service)
        case "labels":
            return _change(part, container.labels.get(part), service.labels.get(part))
        case "image":
            return f"{container.image} -> {service.image}"
        case "bind":
            return f"{prints.get('bind') or 'all addresses'} -> {bind or 'all addresses'}"
        case "command" if container.command is not None and service.command is not None:
            words = (*container.command, *service.command)
            change = f"{_shown(' '.join(container.command))} -> {_shown(' '.join(service.command))}"
            return "" if any(looks_secret(word.partition("=")[0]) for word in words) else change
    return part


def _environment_change(name: str, container: ObservedContainer, service: Service) -> str:
    if container.environment is None:
        return name
    return _change(name, container.environment.get(name), service.environment.get(name))


def _change(name: str, old: str | None, new: str | None) -> str:
    before = "(none)" if old is None else _shown(masked(name, old))
    after = "(none)" if new is None else _shown(masked(name, new))
    return f"{name} {before} -> {after}"


def _shown(value: str) -> str:
    text = value.replace("\n", "⏎")
    text = text if len(text) <= _LONGEST else f"{text[:_LONGEST]}…"
    return text or '""'
