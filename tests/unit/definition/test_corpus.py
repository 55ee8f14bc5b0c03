"""Twenty real projects, and what Docker Compose 2.40.3 reads out of them (see corpus/README.md)."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from invoke_devstack.definition import load, to_config, to_document, to_yaml
from invoke_devstack.definition.syntax.yaml_reader import read_documents

CORPUS = Path(__file__).parent / "corpus"
PROJECTS = sorted(folder.name for folder in CORPUS.iterdir() if folder.is_dir())


def test_the_corpus_is_all_there() -> None:
    assert len(PROJECTS) == 20


@pytest.mark.parametrize("name", PROJECTS)
def test_a_real_project_is_read_as_compose_reads_it(name: str) -> None:
    folder = CORPUS / name
    expected = (folder / "expected.json").read_text().replace("@PROJECT@", str(folder))

    assert to_config(load(folder, environment={}), show_secrets=True) == json.loads(expected)


@pytest.mark.parametrize("name", PROJECTS)
def test_the_yaml_of_a_real_project_reads_back_as_the_same(name: str, tmp_path: Path) -> None:
    definition = load(CORPUS / name, environment={})
    copy = tmp_path / "compose.yaml"
    copy.write_text(to_yaml(to_document(definition, show_secrets=True)))

    again = load(tmp_path, environment={})

    assert to_config(again, show_secrets=True) == to_config(definition, show_secrets=True)
    assert len(read_documents(copy.read_bytes(), copy)) == 1
