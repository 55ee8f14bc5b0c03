"""Lists the containers of the engine and the processes of this machine together."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING

from invoke_devstack.engine.containers.listing import Listing
from invoke_devstack.engine.processes import folders

if TYPE_CHECKING:
    from invoke_devstack.engine.processes.keeper import Keeper
    from invoke_devstack.engine.processes.process import KeptProcess
    from invoke_devstack.planning.plan import Body


class ListingProcesses(Listing):
    """See `Lists`."""

    @cached_property
    def _directory(self) -> Path:
        return folders.directory_of(self.endpoint.url)

    @cached_property
    def _keeper(self) -> Keeper:
        from invoke_devstack.engine.processes.keeper import Keeper

        return Keeper(self._directory)

    def _all(self) -> list[KeptProcess]:
        if not folders.hold_any():
            return []
        any_process = next(folders.process_folders(self._directory), None)
        return self._keeper.all() if any_process else []

    def list_containers(self, filters: Mapping[str, Sequence[str]], *, all_: bool = True) -> list[Body]:
        found = super().list_containers(filters, all_=all_)
        processes = self._all()
        if not processes:
            return found
        from invoke_devstack.engine.processes.matching import matches

        entries = (item.entry() for item in processes)
        return found + [
            entry
            for entry in entries
            if (all_ or entry["State"] in ("running", "paused"))
            and matches(filters, entry["Id"], entry["Names"][0][1:], entry["Labels"], entry["State"])
        ]
