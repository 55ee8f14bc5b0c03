"""`include` (Compose Specification, "Include")."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from invoke_devstack.definition.attributes.file import INCLUDES, RESOURCES
from invoke_devstack.definition.attributes.paths import absolute
from invoke_devstack.definition.reading.check import check
from invoke_devstack.definition.reading.context import Context, require_file
from invoke_devstack.definition.reading.discover import is_readable, read_env_files
from invoke_devstack.definition.syntax.tree import Location, Steps, Table, fail, kind_of

ReadFiles = Callable[[Sequence[Path], Context], Table]


def apply_includes(root: Table, file: Path, context: Context, read_files: ReadFiles) -> None:
    """Adds to `root` what its `include` names. Raises DefinitionError."""
    entries = root.pop("include", None)
    if entries is None:
        return
    check(entries, INCLUDES, root.location_of("include"), ("include",))
    for index, (entry, location) in enumerate(entries.entries()):
        steps = ("include", f"[{index}]")
        settings = entry if isinstance(entry, Table) else {"path": entry}
        files = _files(settings, file, context, location, steps)
        included = read_files(files, _context(settings, file, files, context, location, steps))
        _add(included, root, location, steps)


def _files(settings: Any, file: Path, context: Context, location: Location, steps: Steps) -> list[Path]:
    written = _texts(settings.get("path"))
    files = [Path(absolute(path, context.base)) for path in written]
    if not files:
        raise fail("`include` needs a `path`", location, steps, "Write the path of the file to include.")
    chain = (*context.included, file)
    if files[0] in chain:
        cycle = " -> ".join(str(path) for path in (*chain[chain.index(files[0]) :], files[0]))
        raise fail(f"circular `include`: {cycle}", location, steps, "Remove one of them.")
    for path, text in zip(files, written, strict=True):
        require_file(path, location, steps, text)
    return files


def _context(
    settings: Any, file: Path, files: list[Path], context: Context, location: Location, steps: Steps
) -> Context:
    folder = files[0].parent
    if settings.get("project_directory"):
        folder = Path(absolute(settings["project_directory"], context.base))
    environment = context.environment
    env_files = _env_files(settings, folder, context, location, steps)
    for path, values in read_env_files(environment, env_files, context.unset.add_at):
        environment = environment.filled(values, str(path))
    return Context(folder, environment, (*context.included, file), context.documents, context.unset)


def _env_files(settings: Any, folder: Path, context: Context, location: Location, steps: Steps) -> list[Path]:
    names = _texts(settings.get("env_file"))
    if not names:
        return [folder / ".env"] if is_readable(folder / ".env") else []
    files = [Path(absolute(name, context.base)) for name in names]
    for path, text in zip(files, names, strict=True):
        require_file(path, location, (*steps, "env_file"), text)
    return files


def _texts(value: Any) -> list[str]:
    return [value] if isinstance(value, str) else list(value or ())


def _add(source: Table, target: Table, location: Location, steps: Steps) -> None:
    for kind in RESOURCES:
        for name, value in (source.get(kind) or {}).items():
            own = target.get(kind)
            if own is None:
                own = target[kind] = Table(location)
            if not isinstance(own, Table):
                raise fail(f"`{kind}` must be a mapping, not {kind_of(own)}", location, (kind,))
            if name in own and own[name] != value:
                raise fail(
                    f"`{kind}.{name}` is defined here and, differently, in an included file",
                    own.location_of(name),
                    (*steps, kind, name),
                    "Rename one of them, or list a file with the changes in `path` of the include.",
                )
            own.put(name, value, source[kind].location_of(name))
