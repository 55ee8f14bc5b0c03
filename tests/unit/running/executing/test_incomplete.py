"""A definition with values that are missing is never carried out, whoever asks."""

from __future__ import annotations

from pathlib import Path
from types import SimpleNamespace
from typing import cast

import pytest

from invoke_devstack.definition import load
from invoke_devstack.errors import DefinitionError
from invoke_devstack.planning.plan import Plan
from invoke_devstack.running.executing.executor import announce, execute
from invoke_devstack.running.session import Session


def test_nothing_is_announced_or_done(tmp_path: Path) -> None:
    (tmp_path / "compose.yaml").write_text('services: {web: {image: "redis:${TAG:?}"}}')
    definition = load(tmp_path, environment={}, gathering=True)
    session = cast("Session", SimpleNamespace(definition=definition, dry=False))
    with pytest.raises(DefinitionError, match="TAG has no value"):
        announce(session, Plan(()))
    with pytest.raises(DefinitionError, match="TAG has no value"):
        execute(Plan(()), session)
