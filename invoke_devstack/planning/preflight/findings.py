"""What the preflight found, and how it is told."""

from __future__ import annotations

from collections.abc import Iterable
from enum import StrEnum

from invoke_devstack.errors import DevstackError, Position
from invoke_devstack.records import record


class Level(StrEnum):
    """How much a finding matters."""

    INFO = "info"  # carried out, in another form
    WARNING = "warning"  # deployed, but without it or with another meaning
    ERROR = "error"  # nothing is deployed


class FindingKind(StrEnum):
    """What a finding is about."""

    TRANSLATED = "translated"  # a key has the same effect under another key
    IGNORED = "ignored"  # a swarm does not do it, or its engines are too old
    DIFFERENT = "different"  # it means something else in a swarm
    IMPOSSIBLE = "impossible"  # the service cannot work as it is written
    CLUSTER = "cluster"  # a fact about the cluster, not about a key


@record
class Finding:
    """`text` says what happens instead, `hint` what to do. `key` is dotted (`services.web.restart`)."""

    kind: FindingKind
    level: Level
    key: str
    text: str
    hint: str = ""
    place: Position | None = None

    @property
    def where(self) -> str:
        """The key with its file and line."""
        return f"{self.key} ({self.place.file.name}:{self.place.line})" if self.place else self.key


class PreflightError(DevstackError):
    """The definition cannot be deployed as it is. `findings` has all errors, not only the first."""

    reason = "preflight"

    def __init__(self, message: str, findings: tuple[Finding, ...]) -> None:
        first = findings[0]
        others = [line for finding in findings[1:] for line in _lines(finding)]
        super().__init__(message, hint=first.hint, position=first.place, details=others)
        self.findings = findings


def refusal(findings: Iterable[Finding], message: str = "cannot be deployed") -> PreflightError | None:
    """The error for all findings of level error; None if there is none."""
    errors = tuple(finding for finding in findings if finding.level is Level.ERROR)
    return PreflightError(f"{message}: {_sentence(errors[0])}", errors) if errors else None


def grouped(findings: Iterable[Finding], level: Level) -> tuple[str, ...]:
    """One sentence for each text of a level, with the keys that it is about, and its hint."""
    keys: dict[tuple[str, str], list[str]] = {}
    for finding in findings:
        if finding.level is level:
            keys.setdefault((finding.text, finding.hint), []).append(finding.where)
    return tuple(
        f"{', '.join(places)}: {text}" + (f". {hint}" if hint else "")
        for (text, hint), places in keys.items()
    )


def _sentence(finding: Finding) -> str:
    return f"{finding.key}: {finding.text}"


def _lines(finding: Finding) -> list[str]:
    return [f"{finding.where}: {finding.text}", *([f"  {finding.hint}"] if finding.hint else [])]
