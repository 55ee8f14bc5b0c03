"""Reads a project's files to one tree: interpolation, `extends`, `include`, merge, schema, long forms."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import field
from pathlib import Path
from typing import Any

from invoke_devstack.definition.canonical import canonical, check_attributes, set_defaults
from invoke_devstack.definition.discover import read_env_files, unreadable
from invoke_devstack.definition.environment import Environment
from invoke_devstack.definition.interpolate import interpolate
from invoke_devstack.definition.merge import drop_duplicates, drop_reset, merge, merge_service
from invoke_devstack.definition.normalise import resolve_environment
from invoke_devstack.definition.paths import Base, absolute, resolve_paths
from invoke_devstack.definition.schema import FILE, INCLUDE, list_of
from invoke_devstack.definition.shape import check, nearest
from invoke_devstack.definition.tree import Mark, Steps, Table, clone, dotted, fail, kind_of
from invoke_devstack.definition.yaml_reader import Document, read_documents
from invoke_devstack.errors import DefinitionError, Position
from invoke_devstack.records import record

_RESOURCES = ("services", "volumes", "networks", "secrets", "configs", "models")


@record
class Context:
    """What a file is read with. `included` are the files whose `include` led here."""

    working_dir: Path
    environment: Environment
    included: tuple[Path, ...] = ()
    documents: dict[Path, list[Document]] = field(default_factory=dict)

    @property
    def base(self) -> Base:
        """What paths are relative to."""
        return Base(self.working_dir, self.environment.get("HOME"))

    def read(self, file: Path) -> list[Document]:
        """A file's documents, a copy that may be changed. A file is parsed once, however often it is used."""
        if file not in self.documents:
            try:
                content = file.read_bytes()
            except OSError as error:
                raise unreadable(file, error) from None
            self.documents[file] = read_documents(content, file)
        return [Document(clone(item.root), item.mark, item.resets) for item in self.documents[file]]


def read_files(files: Sequence[Path], context: Context) -> Table:
    """The files merged to one canonical tree with absolute paths. Raises DefinitionError."""
    root = Table(Mark(files[0], 1, 1, 1, 1))
    for file in files:
        root = _read_over(root, file, context)
    set_defaults(root)
    check_attributes(root)
    resolve_paths(root, context.base)
    resolve_environment(root, context.environment)
    return root


def _read_over(root: Table, file: Path, context: Context) -> Table:
    for document in context.read(file):
        content = _content(document)
        interpolate(content, context.environment)
        _Extends(file, context).apply(content, document.resets)
        drop_reset(root, document.resets)
        _apply_includes(content, file, context)
        root = drop_duplicates(merge(root, content))
        check(root, FILE, root.mark)
        root.pop("version", None)
        root = drop_duplicates(canonical(root))
    return root


def _content(document: Document) -> Table:
    if isinstance(document.root, Table):
        return document.root
    message = f"the file must be a mapping, here is {kind_of(document.root)}"
    raise fail(message, document.mark, (), "Start with `services:`, and the services below it.")


class _Extends:
    """`extends` of the services of one file (Compose Specification, "extends")."""

    def __init__(self, file: Path, context: Context) -> None:
        self.file = file
        self.context = context

    def apply(self, root: Table, resets: list[Steps]) -> None:
        """Replaces each service of `root` by itself merged over what it extends."""
        services = root.get("services")
        if services is None:
            return
        if not isinstance(services, Table):
            message = f"`services` must be a mapping, here is {kind_of(services)}"
            raise fail(message, root.mark_of("services"), ("services",))
        for name in list(services):
            services[name] = self._extended(name, services, self.file, resets, ())

    def _extended(
        self, name: str, services: Table, file: Path, resets: list[Steps], chain: tuple[tuple[Path, str], ...]
    ) -> Any:
        service = services[name]
        if not isinstance(service, Table) or "extends" not in service:
            return service
        steps = ("services", name, "extends")
        mark = service.mark_of("extends")
        chain = (*chain, (file, name))
        self._refuse_cycle(chain, mark, steps)
        reference, base_file = self._reference(service["extends"], mark, steps)
        base_services, base_resets = services, resets
        if base_file is not None:
            base_services, base_resets = self._base_file(base_file, mark, steps)
        if reference not in base_services:
            raise self._unknown(reference, base_services, base_file or file, mark, steps)
        base = self._extended(reference, base_services, base_file or file, base_resets, chain)
        if not isinstance(base, Table):
            return service
        source = clone(base)
        holder = Table(mark)
        holder["services"] = Table(mark)
        holder["services"][name] = source
        drop_reset(holder, resets)
        merged = merge_service(source, service, name)
        merged.pop("extends", None)
        services[name] = merged
        return merged

    def _refuse_cycle(self, chain: tuple[tuple[Path, str], ...], mark: Mark, steps: Steps) -> None:
        if chain[-1] in chain[:-1]:
            names = [name for _, name in chain[chain.index(chain[-1]) :]]
            raise fail(f"`extends` goes round in a circle: {' -> '.join(names)}", mark, steps)

    def _reference(self, value: Any, mark: Mark, steps: Steps) -> tuple[str, Path | None]:
        if isinstance(value, str):
            return value, None
        if not isinstance(value, Table) or not isinstance(value.get("service"), str):
            raise fail("`extends` needs a `service`", mark, steps, "Write the name of the service to extend.")
        file = value.get("file")
        if file is None:
            return value["service"], None
        if not isinstance(file, str):
            raise fail(f"`file` must be a text, here is {kind_of(file)}", value.mark_of("file"), steps)
        return value["service"], Path(absolute(file, self.context.base))

    def _base_file(self, file: Path, mark: Mark, steps: Steps) -> tuple[Table, list[Steps]]:
        """The services of another file, with its own paths made absolute from where it stands."""
        _refuse_absent(file, mark, steps)
        root = Table(mark)
        resets: list[Steps] = []
        for document in self.context.read(file):
            content = _services_alone(_content(document))
            interpolate(content, self.context.environment)
            resets = document.resets
            drop_reset(root, resets)
            root = drop_duplicates(merge(root, content))
            check(root, FILE, root.mark)
            root = drop_duplicates(canonical(root))
        resolve_paths(root, Base(file.parent, self.context.base.home))
        if "services" not in root:
            raise fail(f"{file} has no services", mark, steps)
        return root["services"], resets

    def _unknown(self, name: str, services: Table, file: Path, mark: Mark, steps: Steps) -> DefinitionError:
        hint = nearest(name, tuple(services)) or f"Services there: {', '.join(services)}."
        return fail(f"`{dotted(steps)}`: no service `{name}` in {file}", mark, steps, hint)


def _services_alone(root: Table) -> Table:
    result = Table(root.mark)
    if root.get("services") is not None:
        result.put("services", root["services"], root.mark_of("services"))
    return result


def _apply_includes(root: Table, file: Path, context: Context) -> None:
    entries = root.pop("include", None)
    if entries is None:
        return
    check(entries, list_of(INCLUDE), root.mark_of("include"), ("include",))
    for index, (entry, mark) in enumerate(entries.entries()):
        steps = ("include", f"[{index}]")
        _import(_included(entry, mark, steps, file, context), root, mark, steps)


def _included(entry: Any, mark: Mark, steps: Steps, file: Path, context: Context) -> Table:
    settings = entry if isinstance(entry, Table) else {"path": entry}
    files = [Path(absolute(path, context.base)) for path in _texts(settings.get("path"))]
    if not files:
        raise fail("`include` needs a `path`", mark, steps)
    included = (*context.included, file)
    if files[0] in included:
        circle = " -> ".join(str(path) for path in (*included[included.index(files[0]) :], files[0]))
        raise fail(f"`include` goes round in a circle: {circle}", mark, steps)
    for path in files:
        _refuse_absent(path, mark, steps)
    folder = files[0].parent
    if settings.get("project_directory"):
        folder = Path(absolute(settings["project_directory"], context.base))
    env_files = _env_files(settings, folder, context, mark, steps)
    environment = context.environment
    for path, values in read_env_files(environment, env_files):
        environment = environment.filled(values, str(path))
    return read_files(files, Context(folder, environment, included, context.documents))


def _refuse_absent(file: Path, mark: Mark, steps: Steps) -> None:
    if file.is_file():
        return
    hint = "The path is relative to the project directory."
    if "://" in mark.raw or mark.raw.startswith(("oci:", "git@")):
        hint = "Files of other machines are not read: clone them, and name the copy."
    raise fail(f"no such file: {file}", mark, steps, hint)


def _env_files(settings: Any, folder: Path, context: Context, mark: Mark, steps: Steps) -> list[Path]:
    names = _texts(settings.get("env_file"))
    if not names:
        return [folder / ".env"] if (folder / ".env").is_file() else []
    files = [Path(absolute(name, context.base)) for name in names]
    for path in files:
        if not path.is_file():
            raise fail(f"no such file: {path}", mark, (*steps, "env_file"))
    return files


def _texts(value: Any) -> list[str]:
    return [value] if isinstance(value, str) else list(value or ())


def _import(source: Table, target: Table, mark: Mark, steps: Steps) -> None:
    for kind in _RESOURCES:
        for name, value in (source.get(kind) or {}).items():
            own = target.get(kind)
            if own is None:
                own = target[kind] = Table(mark)
            if not isinstance(own, Table):
                raise fail(f"`{kind}` must be a mapping, here is {kind_of(own)}", mark, (kind,))
            if name in own and own[name] != value:
                raise fail(
                    f"`{kind}.{name}` is in this file and in an included one, and they differ",
                    own.mark_of(name),
                    (*steps, kind, name),
                    "Rename one of them, or put the changes into an override of the include.",
                )
            own.put(name, value, source[kind].mark_of(name))


def empty_file_error(files: Sequence[Path]) -> DefinitionError:
    """Files that say nothing at all."""
    return DefinitionError(
        "the file is empty",
        hint="Start with `services:`, and the services below it.",
        position=Position(files[0], 1, 1),
    )
