"""The engine's filters, for process containers."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

_PASSED_OVER = frozenset({"type", "event", "scope"})


def matches(
    filters: Mapping[str, Sequence[str]],
    identity: str,
    name: str,
    labels: Mapping[str, str],
    status: str = "",
) -> bool:
    """Whether a process container passes: all labels, any of the names, ids and states. No process passes any
    other filter, such as that of a network."""
    for key, values in filters.items():
        if key == "label":
            passes = all(_has_label(labels, value) for value in values)
        elif key in ("name", "container"):
            passes = any(value.strip("^$/") in (name, identity) or value in name for value in values)
        elif key == "id":
            passes = any(identity.startswith(value) for value in values)
        elif key == "status":
            passes = status in values
        else:
            passes = key in _PASSED_OVER
        if not passes:
            return False
    return True


def _has_label(labels: Mapping[str, str], wanted: str) -> bool:
    name, equals, value = wanted.partition("=")
    return name in labels and (not equals or labels[name] == value)
