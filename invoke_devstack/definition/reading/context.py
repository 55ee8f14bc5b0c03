"""What the files of a project are read with."""

from __future__ import annotations

from dataclasses import field
from pathlib import Path
from typing import TYPE_CHECKING

from invoke_devstack.definition.attributes.paths import Base
from invoke_devstack.definition.reading.missing import Missing
from invoke_devstack.definition.reading.unreadable import named_at
from invoke_devstack.definition.reading.unset import UnsetVariables
from invoke_devstack.definition.syntax.tree import Location, Steps, Table, clone, fail, kind_of
from invoke_devstack.definition.syntax.yaml_reader import Document, read_documents
from invoke_devstack.errors import Position
from invoke_devstack.local_files.reading import read_bytes
from invoke_devstack.records import record

if TYPE_CHECKING:
    from invoke_devstack.definition.reading.environment import Environment

START = "Start it with `services:`, and indent the services below that."


@record
class Context:
    """The working directory and variables of a file. `included` are the files whose `include` led to it."""

    working_dir: Path
    environment: Environment
    included: tuple[Path, ...] = ()
    documents: dict[Path, list[Document]] = field(default_factory=dict)
    unset: UnsetVariables = field(default_factory=UnsetVariables)
    missing: Missing = field(default_factory=Missing)

    @property
    def base(self) -> Base:
        """What paths are relative to."""
        return Base(self.working_dir, self.environment.get("HOME"))

    def read(self, file: Path) -> list[Document]:
        """A file's documents, as a copy that may be changed. Each file is parsed once."""
        if file not in self.documents:
            with named_at(Position(file)):
                content = read_bytes(file)
            self.documents[file] = read_documents(content, file)
        return [Document(clone(item.root), item.location, item.resets) for item in self.documents[file]]


def content_of(document: Document) -> Table:
    """A document's top level. Raises DefinitionError if it is not a mapping."""
    if isinstance(document.root, Table):
        return document.root
    raise fail(f"the file must be a mapping, not {kind_of(document.root)}", document.location, (), START)


def is_elsewhere(written: str) -> bool:
    """Whether it is the address of a file on another machine."""
    return "://" in written or written.startswith(("oci:", "git@", "github.com/"))


def require_file(file: Path, location: Location, steps: Steps, written: str = "") -> None:
    """Raises DefinitionError if a file cannot be read. The value at `location` names it, or, where it has
    several, `written`."""
    if file.exists():
        with named_at(location.position(steps)):
            read_bytes(file)
        return
    written = written or location.raw
    if is_elsewhere(written):
        hint = "Clone it, and use the path of the copy."
        raise fail(f"files on other machines are not supported: {written}", location, steps, hint)
    raise fail(f"no such file: {file}", location, steps, "The path is relative to the project directory.")
