"""Finds a project's files, its `.env` and its name, as Docker Compose does.

Without a `compose.yaml`, all files in `services/` are used together; their paths are relative to the
directory that contains `services/`.
"""

from __future__ import annotations

import os
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from pathlib import Path

from invoke_devstack.definition.reading.environment import Environment, process_environment
from invoke_devstack.definition.reading.unreadable import named_at
from invoke_devstack.definition.reading.unset import set_hint
from invoke_devstack.definition.syntax.dotenv import OnBlank, read_env_file
from invoke_devstack.definition.syntax.template import TemplateError, substitute
from invoke_devstack.errors import DefinitionError, Position, UsageError
from invoke_devstack.late_patterns import late
from invoke_devstack.local_files.reading import read_bytes
from invoke_devstack.records import record

FILE_NAMES = ("compose.yaml", "compose.yml", "docker-compose.yml", "docker-compose.yaml")
OVERRIDE_NAMES = (
    "compose.override.yml",
    "compose.override.yaml",
    "docker-compose.override.yml",
    "docker-compose.override.yaml",
)
PRODUCTION_NAMES = ("compose.prod.yaml", "compose.prod.yml")
STAGED = ".devstack-init"
"""The directory in which `init` keeps all of its files until each is in its place."""
_NAME_LINE = late(r"""^(?:name|"name"|'name')[ \t]*:(?:[ \t]+(?P<value>.*))?$""", re.MULTILINE)
_PLAIN_NAME = late(r"""(?P<quote>["']?)(?P<name>[\w.${}:?+-]*)(?P=quote)[ \t]*(?:[ \t]#.*)?\r?""", re.A)


@record
class Sources:
    """What a definition is read from. `environment` includes the variables of the `.env` files."""

    working_dir: Path
    files: tuple[Path, ...]
    environment: Environment
    env_files: tuple[Path, ...]
    name: str = ""  # of the project, once it is known
    blanks: tuple[tuple[str, Position], ...] = ()  # variables of `.env` files that are set nowhere

    def named(self, name: str) -> Sources:
        """The same sources with the project's name, which is also in the environment."""
        environment = self.environment.replaced("COMPOSE_PROJECT_NAME", name, "project")
        return replace(self, name=name, environment=environment)


def project_name(
    directory: Path,
    *,
    files: Sequence[Path] = (),
    environment: Mapping[str, str] | None = None,
    given: str | None = None,
    env_files: Sequence[Path] = (),
) -> str:
    """The project's name alone, without reading the whole definition; see `load`."""
    return find_name(discover(directory, files, environment, env_files), given)


def named_project(directory: Path, *, files: Sequence[Path] = ()) -> tuple[str, Path, bool]:
    """(name, working directory, whether COMPOSE_PROJECT_NAME sets the name); see `load`."""
    sources = discover(directory, files)
    imposed = bool(sources.environment.get("COMPOSE_PROJECT_NAME"))
    return find_name(sources), sources.working_dir, imposed


def discover(
    directory: Path,
    files: Sequence[Path] = (),
    environment: Mapping[str, str] | None = None,
    env_files: Sequence[Path] = (),
    *,
    production: bool = False,
) -> Sources:
    """The files of the project in `directory` or the closest directory above it that has some.

    `files` and `env_files` are relative to `directory` and replace those that would be found. For
    `production`, compose.prod.yaml stands in for the override that is found. Raises DefinitionError if there
    are none.
    """
    directory = _absolute(directory, Path.cwd())
    variables = process_environment(environment)
    chosen_env = _chosen_env_files(directory, env_files, variables)
    chosen = [_absolute(file, directory) for file in files]
    first_dir = chosen[0].parent if chosen else _typed_in(directory)
    used = chosen_env or _default_env_file(first_dir, variables)
    blanks: list[tuple[str, Position]] = []
    variables = _with_env_files(variables, used, blanks)
    chosen = chosen or _files_of_environment(directory, variables)
    working_dir, found = (chosen[0].parent, chosen) if chosen else _find(directory)
    if production:
        found = _for_production(working_dir, found)
    if not chosen_env:
        own = _default_env_file(working_dir, variables)
        variables = _with_env_files(variables, own, blanks)
        used = list(dict.fromkeys([*used, *own]))
    return Sources(working_dir, tuple(found), variables, tuple(used), blanks=tuple(blanks))


def _for_production(working_dir: Path, found: Sequence[Path]) -> list[Path]:
    files = [file for file in found if file.name not in OVERRIDE_NAMES]
    overrides = [working_dir / name for name in PRODUCTION_NAMES if (working_dir / name).exists()]
    return [*files, *(file for file in overrides[:1] if file not in files)]


def _typed_in(directory: Path) -> Path:
    """The current directory if it is inside the project, whose `.env` Compose prefers; else the project's."""
    current = Path.cwd()
    return current if current.is_relative_to(directory.resolve()) else directory


def _absolute(path: Path, base: Path) -> Path:
    return Path(os.path.normpath(base / path))


def _chosen_env_files(directory: Path, given: Sequence[Path], environment: Environment) -> list[Path]:
    names: Iterable[Path] = given
    if not given and environment.get("COMPOSE_ENV_FILES"):
        names = [Path(name) for name in environment["COMPOSE_ENV_FILES"].split(",")]
    return [_absolute(name, directory) for name in names]


def _default_env_file(directory: Path, environment: Environment) -> list[Path]:
    file = directory / ".env"
    disabled = is_true(environment.get("COMPOSE_DISABLE_ENV_FILE", ""))
    return [file] if not disabled and is_readable(file) else []


def is_readable(file: Path) -> bool:
    """A pipe too, like Compose. A `.env` directory (of Python) is none."""
    return file.exists() and not file.is_dir()


def is_true(text: str) -> bool:
    """Whether an environment variable switches something on."""
    return text in ("1", "t", "T", "true", "TRUE", "True")


def _with_env_files(
    environment: Environment, files: Sequence[Path], blanks: list[tuple[str, Position]]
) -> Environment:
    """The environment with the files' variables; a later file wins over an earlier one. Adds to `blanks` what
    they use and nothing sets."""
    for file, values in read_env_files(environment, files, lambda *blank: blanks.append(blank)):
        environment = environment.filled(values, str(file))
    return environment


def read_env_files(
    environment: Environment, files: Sequence[Path], on_blank: OnBlank | None = None
) -> list[tuple[Path, dict[str, str]]]:
    """The variables of each file, the strongest file first. `on_blank` as for `read_env_file`."""
    values: dict[str, str] = {}
    layers: list[tuple[Path, dict[str, str]]] = []
    for file in files:
        older = values
        with named_at(Position(file)):
            values = read_env_file(file, environment.get, older, on_blank)
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
                hint=f"Fix COMPOSE_FILE={names} (set by: {source}).",
                position=Position(file),
            )
    return files


def _find(directory: Path) -> tuple[Path, list[Path]]:
    for folder in (directory, *directory.parents):
        _refuse_unfinished(folder)
        found = [folder / name for name in FILE_NAMES if (folder / name).exists()]
        if found:
            overrides = [folder / name for name in OVERRIDE_NAMES if (folder / name).exists()]
            return folder, [found[0], *overrides[:1]]
        services = _services_folder(folder)
        if services:
            return folder, services
    raise DefinitionError(
        f"no Compose file in {directory} or any directory above it",
        hint="Create one with `invoke init`, or write a compose.yaml.",
        position=Position(directory),
    )


def _refuse_unfinished(folder: Path) -> None:
    if (folder / STAGED).is_dir():
        raise DefinitionError(
            "`init` was stopped here before all of its files were in place",
            hint="Finish it: `python -m invoke_devstack init`",
            position=Position(folder),
        )


def _services_folder(folder: Path) -> list[Path]:
    services = folder / "services"
    return sorted(file for suffix in ("*.yaml", "*.yml") for file in services.glob(suffix) if file.is_file())


def find_name(sources: Sources, given: str | None = None) -> str:
    """The project's name: given, COMPOSE_PROJECT_NAME, `name:` of the files, else the directory's.

    Compose Specification, "Name". Raises UsageError or DefinitionError for an invalid one.
    """
    imposed = given or sources.environment.get("COMPOSE_PROJECT_NAME")
    if imposed:
        if normalised_name(imposed) != imposed:
            raise UsageError(
                f"invalid project name `{imposed}`",
                hint="Use lowercase letters, digits, `-` and `_`, and start with a letter or digit.",
            )
        return imposed
    unset: dict[str, None] = {}
    name, position = _name_in_files(sources, unset)
    result = normalised_name(name if position else sources.working_dir.name)
    if not result:
        hint = "Add `name: …` at the top level of the file, with lowercase letters and digits."
        raise DefinitionError(
            "the project has no name",
            hint=set_hint(unset) if unset else hint,
            position=position or Position(sources.working_dir),
        )
    return result


def normalised_name(name: str) -> str:
    """A text as a project's name: lowercase, without characters that engines refuse."""
    return re.sub(r"[^a-z0-9_-]", "", name.lower()).lstrip("_-")


def _name_in_files(sources: Sources, unset: dict[str, None]) -> tuple[str, Position | None]:
    name, position = "", None
    for file in sources.files:
        for value, line in _names(file):
            if value:
                name, position = value, Position(file, line, 1, "name")
    try:
        return substitute(name, sources.environment.get, on_blank=unset.setdefault), position
    except TemplateError as error:
        raise DefinitionError(f"`name`: {error}", position=position) from None


def _names(file: Path) -> list[tuple[str, int]]:
    """The `name:` of each document of a file, found without parsing the file where that is safe."""
    with named_at(Position(file)):
        content = read_bytes(file)
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
    from invoke_devstack.definition.syntax.tree import Table
    from invoke_devstack.definition.syntax.yaml_reader import read_documents

    roots = [document.root for document in read_documents(content, file)]
    return [
        (root["name"], root.location_of("name").line)
        for root in roots
        if isinstance(root, Table) and isinstance(root.get("name"), str)
    ]
