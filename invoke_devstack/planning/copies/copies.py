"""A copy of the stack for one job: its names, and the labels that say on the engine what it is.

A copy's mark is an empty volume with these labels, created before anything else of the copy and removed after
everything else. All other things of the copy have the labels too, so whatever is left of it says whose it is,
also where somebody removed the mark (`docker volume prune`). docs/contributing/protocols.md has the states.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from datetime import datetime, timedelta

from invoke_devstack.definition.syntax.units import Seconds
from invoke_devstack.errors import UsageError, did_you_mean
from invoke_devstack.planning import labels
from invoke_devstack.planning.observed import seconds_of
from invoke_devstack.records import record

_CREATED, _EXPIRES = f"{labels.COPY}.created", f"{labels.COPY}.expires"
_SNAPSHOT, _TOKEN = f"{labels.COPY}.snapshot", f"{labels.COPY}.id"
_GOOD_NAME = re.compile(r"[a-z0-9][a-z0-9_-]{0,39}")
_LONGEST = timedelta(days=366)


@record
class Copy:
    """`of` is the project that it is a copy of, `directory` that of its files. `created_at` and `expires_at`
    are RFC 3339, the latter "" if it stays until it is ended. `snapshot`: whose data it began with, "" for
    none. `token` tells two copies apart that had the same name."""

    name: str
    of: str
    directory: str
    created_at: str
    expires_at: str = ""
    snapshot: str = ""
    token: str = ""

    @property
    def project(self) -> str:
        """Its project on the engine."""
        return f"{self.of}-copy-{self.name}"

    @property
    def mark(self) -> str:
        """The volume that is there as long as anything of the copy is."""
        return f"devstack-copy-{self.project}"

    @property
    def filled_mark(self) -> str:
        """The volume that says that the data of its snapshot is in place."""
        return f"{self.mark}.filled"

    def labels(self) -> dict[str, str]:
        """Those of its mark, and of all that belongs to it."""
        return {
            labels.COPY: self.name,
            labels.COPY_OF: self.of,
            labels.DIRECTORY: self.directory,
            _CREATED: self.created_at,
            _EXPIRES: self.expires_at,
            _SNAPSHOT: self.snapshot,
            _TOKEN: self.token,
        }

    def is_expired(self, now: datetime) -> bool:
        """False for a time that cannot be read."""
        return 0 < seconds_of(self.expires_at) <= now.timestamp()

    def lifetime(self) -> Seconds | None:
        """How long it was to last; None: until it is ended."""
        if not self.expires_at:
            return None
        return Seconds(round(seconds_of(self.expires_at) - seconds_of(self.created_at)))


def read_copy(values: Mapping[str, str]) -> Copy | None:
    """The copy that something with these labels belongs to; None if it belongs to none."""
    if not (values.get(labels.COPY) and values.get(labels.COPY_OF)):
        return None
    return Copy(
        name=values[labels.COPY],
        of=values[labels.COPY_OF],
        directory=values.get(labels.DIRECTORY, ""),
        created_at=values.get(_CREATED, ""),
        expires_at=values.get(_EXPIRES, ""),
        snapshot=values.get(_SNAPSHOT, ""),
        token=values.get(_TOKEN, ""),
    )


def copies_among(values: Iterable[Mapping[str, str]]) -> tuple[Copy, ...]:
    """The copies that labels name, each once."""
    found = (read_copy(item) for item in values)
    return tuple({copy.project: copy for copy in found if copy}.values())


def check_copy_name(name: str) -> str:
    """Returns the name. Raises UsageError if a project could not have it."""
    if not _GOOD_NAME.fullmatch(name):
        raise UsageError(
            f"invalid name `{name}` for a copy",
            hint="Use at most 40 lowercase letters, digits, `-` and `_`: `invoke copies.add fix-login`.",
        )
    return name


def expiry(ttl: str, now: datetime) -> str:
    """When a copy ends that lasts `ttl` (`2h`, `1h30m`, `2d`) from now on, as RFC 3339; "" for "". Raises
    UsageError."""
    if not ttl:
        return ""
    try:
        seconds = float(Seconds.parse(ttl))
    except ValueError:
        seconds = 0.0
    if not 0 < seconds <= _LONGEST.total_seconds():
        raise UsageError(f"invalid duration `{ttl}` for `--ttl`", hint="Examples: `--ttl 2h`, `--ttl 1h30m`.")
    return (now + timedelta(seconds=seconds)).isoformat(timespec="milliseconds")


def find_copy(copies: Iterable[Copy], name: str) -> Copy:
    """The copy called `name`; its project's name is accepted too. Raises UsageError, with the most similar
    name."""
    known = tuple(copies)
    found = [copy for copy in known if name in (copy.name, copy.project)]
    if len(found) > 1:
        projects = ", ".join(copy.project for copy in found)
        raise UsageError(f"several copies are called `{name}`", hint=f"Name the project: {projects}.")
    if found:
        return found[0]
    others = f"Copies: {', '.join(copy.name for copy in known)}." if known else ""
    hint = did_you_mean(name, [copy.name for copy in known], others)
    raise UsageError(
        f"unknown copy `{name}`", hint=hint or "There are none yet. Add one: `invoke copies.add NAME`"
    )


def is_of(copy: Copy, directory: str, project: str = "") -> bool:
    """Whether it is a copy of the stack in `directory`. `project`: the stack's name, where a variable sets it
    ("" if not), so that several stacks may have this directory. That of the copy means the copy itself."""
    return copy.directory == directory and project in ("", copy.of, copy.project)
