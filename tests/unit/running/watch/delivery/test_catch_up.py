"""What a container lacks, told by an archive of the engine."""

from __future__ import annotations

import io
import tarfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from invoke_devstack.engine.protocol import Blocks
from invoke_devstack.planning.watching.actions import CompiledRule
from invoke_devstack.running.watch.delivery.catch_up import differences
from invoke_devstack.running.watch.delivery.sync_container import SyncContainer
from tests.fakes import FakeEngine


class _CutOff(FakeEngine):
    """Cuts off its archive in the middle of a file, as an engine does if that file shrinks meanwhile."""

    def get_archive(self, container: str, path: str) -> tuple[Mapping[str, Any], Blocks]:
        buffer = io.BytesIO()
        with tarfile.open(fileobj=buffer, mode="w") as archive:
            for name, content in (("app/first", b"1"), ("app/second", b"2" * 2000)):
                entry = tarfile.TarInfo(name)
                entry.size = len(content)
                archive.addfile(entry, io.BytesIO(content))
        yet = buffer.getvalue()[: 3 * 512 + 700]
        return {}, (block for block in (yet,))


def test_what_an_archive_that_is_cut_off_does_not_show_is_sent_again(tmp_path: Path) -> None:
    for name, content in (("first", "1"), ("second", "2" * 2000), ("third", "3")):
        (tmp_path / name).write_text(content)
    container = SyncContainer(_CutOff(), "id", "web", running=False, owner=(0, 0))
    rule = CompiledRule(service="web", root=str(tmp_path), action="sync", target="/app")
    found = {Path(change.path).name for change in differences(container, rule)}
    assert found == {"second", "third"}
