"""Finds a project's files, its `.env` and its name, as Docker Compose finds them.

Where there is no `compose.yaml`, every file in `services/` is taken together; paths in them are relative
to the directory that holds `services/`.
"""

from __future__ import annotations

import os
import re
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path

from invoke_devstack.definition.dotenv import read_env_file
from invoke_devstack.definition.environment import Environment, process_environment
from invoke_devstack.definition.template import TemplateError, substitute
from invoke_devstack.errors import DefinitionError, Position, UsageError
from invoke_devstack.records import record

FILE_NAMES = ("compose.yaml", "compose.yml", "docker-compose.yml", "docker-compose.yaml")
OVERRIDE_NAMES = (
    "compose.override.yml",
    "compose.override.yaml",
    "docker-compose.override.yml",
    "docker-compose.override.yaml",
)
_NAME_LINE = re.compile(r"""^(?:name|"name"|'name')[ \t]*:(?:[ \t]+(?P<value>.*))?$""", re.MULTILINE)
_PLAIN_NAME = re.compile(r"""(?P<quote>["']?)(?P<name>[\w.${}:?+-]*)(?P=quote)[ \t]*(?:[ \t]#.*)?\r?""", re.A)


@record
class Sources:
    """Where a definition is read from. `environment` has the variables of the `.env` files."""

    working_dir: Path
    files: tuple[Path, ...]
    environment: Environment
    env_files: tuple[Path, ...]


def discover(
    directory: Path,
    files: Sequence[Path] = (),
    environment: Mapping[str, str] | None = None,
    env_files: Sequence[Path] = (),
) -> Sources:
    """The files of the project in `directory` or the nearest directory above it that has some.

    `files` and `env_files` that are given are relative to `directory`, and replace those that would be
    found. Raises DefinitionError when there are none.
    """
    directory = _absolute(directory, Path.cwd())
    variables = process_environment(environment)
    chosen_env = _chosen_env_files(directory, env_files, variables)
    chosen = [_absolute(file, directory) for file in files]
    first_dir = chosen[0].parent if chosen else directory
    used = chosen_env or _default_env_file(first_dir, variables)
    variables = _with_env_files(variables, used)
    chosen = chosen or _files_of_environment(directory, variables)
    working_dir, found = (chosen[0].parent, chosen) if chosen else _find(directory)
    if not chosen_env:
        own = _default_env_file(working_dir, variables)
        variables = _with_env_files(variables, own)
        used = list(dict.fromkeys([*used, *own]))
    return Sources(working_dir, tuple(found), variables, tuple(used))


def _absolute(path: Path, base: Path) -> Path:
    return Path(os.path.normpath(base / path))


def _chosen_env_files(directory: Path, given: Sequence[Path], environment: Environment) -> list[Path]:
    names: Iterable[Path] = given
    if not given and environment.get("COMPOSE_ENV_FILES"):
        names = [Path(name) for name in environment["COMPOSE_ENV_FILES"].split(",")]
    return [_absolute(name, directory) for name in names]


def _default_env_file(directory: Path, environment: Environment) -> list[Path]:
    file = directory / ".env"
    return [] if is_true(environment.get("COMPOSE_DISABLE_ENV_FILE", "")) or not file.is_file() else [file]


def is_true(text: str) -> bool:
    """A switch in the environment."""
    return text in ("1", "t", "T", "true", "TRUE", "True")


def _with_env_files(environment: Environment, files: Sequence[Path]) -> Environment:
    """The environment with what the files add; a later file wins over an earlier one."""
    for file, values in read_env_files(environment, files):
        environment = environment.filled(values, str(file))
    return environment


def read_env_files(environment: Environment, files: Sequence[Path]) -> list[tuple[Path, dict[str, str]]]:
    """The variables of each file, the file that wins first."""
    values: dict[str, str] = {}
    layers: list[tuple[Path, dict[str, str]]] = []
    for file in files:
        older = values
        values = read_env_file(file, environment.get, older)
        own = {name: value for name, value in values.items() if older.get(name) != value}
        layers.insert(0, (file, own))
    return layers


def _files_of_environment(directory: Path, environment: Environment) -> list[Path]:
    names = environment.get("COMPOSE_FILE")
    if names is None:
        return []
    separator = environment.get("COMPOSE_PATH_SEPARATOR") or os.pathsep
    files = [_absolute(Path(name), directory) for name in names.split(separator)]
    for file in files:
        if not file.exists():
            source = environment.source("COMPOSE_FILE")
            raise DefinitionError(
                f"no such file: {file}",
                hint=f"COMPOSE_FILE={names} names it (set by: {source}).",
                position=Position(file),
            )
    return files


def _find(directory: Path) -> tuple[Path, list[Path]]:
    for folder in (directory, *directory.parents):
        found = [folder / name for name in FILE_NAMES if (folder / name).exists()]
        if found:
            overrides = [folder / name for name in OVERRIDE_NAMES if (folder / name).exists()]
            return folder, [found[0], *overrides[:1]]
        services = _services_folder(folder)
        if services:
            return folder, services
    raise DefinitionError(
        f"no Compose file in {directory} or any directory above it",
        hint="Write a compose.yaml, or services/NAME.yaml for each service; `invoke init` makes a first one.",
        position=Position(directory),
    )


def _services_folder(folder: Path) -> list[Path]:
    services = folder / "services"
    return sorted(file for suffix in ("*.yaml", "*.yml") for file in services.glob(suffix) if file.is_file())


def find_name(sources: Sources, given: str | None = None) -> str:
    """The project's name: given, COMPOSE_PROJECT_NAME, `name:` of the files, else the directory's.

    Compose Specification, "Name". Raises UsageError or DefinitionError for one that cannot be used.
    """
    imposed = given or sources.environment.get("COMPOSE_PROJECT_NAME")
    if imposed:
        if normalised_name(imposed) != imposed:
            raise UsageError(
                f"`{imposed}` is no project name",
                hint="Write it in lowercase letters, digits, `-` and `_`, with a letter or digit first.",
            )
        return imposed
    name, position = _name_in_files(sources)
    result = normalised_name(name if position else sources.working_dir.name)
    if not result:
        raise DefinitionError(
            "the project has no name",
            hint="Write `name: …` at the top of the file, in lowercase letters and digits.",
            position=position or Position(sources.working_dir),
        )
    return result


def normalised_name(name: str) -> str:
    """A text as a project's name: lowercase, without what engines do not take."""
    return re.sub(r"[^a-z0-9_-]", "", name.lower()).lstrip("_-")


def _name_in_files(sources: Sources) -> tuple[str, Position | None]:
    name, position = "", None
    for file in sources.files:
        for value, line in _names(file):
            if value:
                name, position = value, Position(file, line, 1, "name")
    try:
        return substitute(name, sources.environment.get), position
    except TemplateError as error:
        raise DefinitionError(f"`name`: {error}", position=position) from None


def _names(file: Path) -> list[tuple[str, int]]:
    """The `name:` of each document of a file, found without parsing the whole where that is safe."""
    try:
        content = file.read_bytes()
    except OSError as error:
        raise unreadable(file, error) from None
    text = content.decode("utf-8", "replace")
    matches = list(_NAME_LINE.finditer(text))
    plain = [_PLAIN_NAME.fullmatch(match["value"] or "") for match in matches]
    if all(plain) and not text.lstrip().startswith("{"):
        return [
            (value["name"], text.count("\n", 0, match.start()) + 1)
            for match, value in zip(matches, plain, strict=True)
            if value
        ]
    return _parsed_names(content, file)


def _parsed_names(content: bytes, file: Path) -> list[tuple[str, int]]:
    from invoke_devstack.definition.tree import Table
    from invoke_devstack.definition.yaml_reader import read_documents

    roots = [document.root for document in read_documents(content, file)]
    return [
        (root["name"], root.mark_of("name").line)
        for root in roots
        if isinstance(root, Table) and isinstance(root.get("name"), str)
    ]


def unreadable(file: Path, error: OSError) -> DefinitionError:
    """A file that is named and cannot be read."""
    return DefinitionError(
        f"cannot read {file}: {error.strerror}",
        hint="Check the path and its permissions.",
        position=Position(file),
    )
