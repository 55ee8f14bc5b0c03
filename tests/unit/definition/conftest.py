"""A project in a temporary directory, written and read with variables that are the same everywhere."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

from invoke_devstack.definition import load
from invoke_devstack.definition.model import Definition, Service
from invoke_devstack.errors import DefinitionError


@dataclass
class Project:
    """Files to read. `environment` is all that the process is taken to have."""

    folder: Path
    environment: dict[str, str] = field(default_factory=lambda: {"HOME": "/home/somebody"})

    def write(self, files: Mapping[str, str]) -> Project:
        for name, content in files.items():
            path = self.folder / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(content)
        return self

    def load(self, text: str | None = None, **options: Any) -> Definition:
        if text is not None:
            self.write({"compose.yaml": text})
        return load(self.folder, environment=self.environment, **options)

    def service(self, attributes: str, **options: Any) -> Service:
        """The service `web` with the image x and these attributes, in YAML's flow style without braces."""
        return self.load(f"services: {{web: {{image: x, {attributes}}}}}", **options).services["web"]

    def error(self, text: str | None = None, **options: Any) -> DefinitionError:
        with pytest.raises(DefinitionError) as caught:
            self.load(text, **options)
        return caught.value


@pytest.fixture
def project(tmp_path: Path) -> Project:
    folder = tmp_path / "proj"
    folder.mkdir()
    return Project(folder)
