"""Where changes come from, whatever tells of them."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Protocol

from invoke_devstack.running.watch.batch import Story


@dataclass(frozen=True, slots=True)
class Stories:
    """One batch. `since`: `time.monotonic()` at its first event. `lost`: events were dropped on the
    way, so that more may have changed."""

    paths: Mapping[str, Story]
    since: float
    lost: bool = False


class Source(Protocol):
    """Tells of changes below a set of roots."""

    def __len__(self) -> int:
        """How many directories or trees are watched."""
        ...

    def batches(self) -> Iterator[Stories]:
        """Waits for changes and yields them, batch by batch, until `stop`."""
        ...

    def stop(self) -> None:
        """Ends `batches`; may be called from any thread."""
        ...

    def close(self) -> None: ...
