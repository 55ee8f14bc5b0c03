"""Reads a project's files to one tree, document by document, in the order of the steps below."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from invoke_devstack.definition.attributes.file import FILE
from invoke_devstack.definition.attributes.merge import drop_reset
from invoke_devstack.definition.reading.context import START, Context, content_of
from invoke_devstack.definition.reading.extends import extend_services, put_over
from invoke_devstack.definition.reading.include import apply_includes
from invoke_devstack.definition.reading.interpolate import interpolate, rewrite
from invoke_devstack.definition.reading.normalise import resolve_environment
from invoke_devstack.definition.syntax.tree import Location, Table
from invoke_devstack.errors import DefinitionError, Position


def read_files(files: Sequence[Path], context: Context) -> Table:
    """The files merged to one tree in long form with absolute paths. Raises DefinitionError."""
    root = Table(Location(files[0], 1, 1, 1, 1))
    for file in files:
        for document in context.read(file):
            content = content_of(document)
            interpolate(content, context.environment, context.unset, context.missing)
            extend_services(content, file, document.resets, context)
            drop_reset(root, document.resets)
            apply_includes(content, file, context, read_files)
            root = put_over(root, content)
            root.pop("version", None)
    rewrite("complete", root, FILE, root.location)
    rewrite("verify", root, FILE, root.location)
    rewrite("resolve", root, FILE, root.location, (), context.base)
    resolve_environment(root, context.environment)
    return root


def empty_file_error(files: Sequence[Path]) -> DefinitionError:
    """The error for files that hold nothing."""
    return DefinitionError("the file is empty", hint=START, position=Position(files[0], 1, 1))
