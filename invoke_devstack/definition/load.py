"""From files to a `Definition`: the steps in their order, each of them a room of its own."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from invoke_devstack.definition.attributes import CONFIG, MODEL, NETWORK, SERVICE, VOLUME, secret
from invoke_devstack.definition.consistency import Draft, Values, check_consistency
from invoke_devstack.definition.decode import Decoder, decode, plain
from invoke_devstack.definition.discover import Sources, discover, find_name
from invoke_devstack.definition.env_files import add_env_files, add_label_files
from invoke_devstack.definition.files import Context, empty_file_error, read_files
from invoke_devstack.definition.normalise import normalise
from invoke_devstack.definition.origins import collect_origins
from invoke_devstack.definition.selection import (
    active_profiles,
    names_not_carried_out,
    selected_services,
    split_by_profiles,
    used_resources,
)
from invoke_devstack.definition.tree import Table

if TYPE_CHECKING:
    from invoke_devstack.definition.model import Definition


def load(
    directory: Path,
    *,
    files: Sequence[Path] = (),
    environment: Mapping[str, str] | None = None,
    profiles: Sequence[str] = (),
    project_name: str | None = None,
    env_files: Sequence[Path] = (),
    services: Sequence[str] = (),
    naming: Sequence[str] = (),
) -> Definition:
    """The definition of the project in `directory`, checked whole.

    `environment` is the process's by default. `files`, `env_files` and `profiles` replace what would be
    found (`compose.yaml` and the like, `.env`, COMPOSE_PROFILES). With `services`, only those and what
    they depend on are enabled, whatever their profiles. `naming` activates the profiles of these services
    and leaves the others as they are. Raises DefinitionError with the position of what
    is wrong, and UsageError for a name that is none.
    """
    sources = discover(directory, files, environment, env_files)
    name = find_name(sources, project_name)
    sources = _named(sources, name)
    context = Context(sources.working_dir, sources.environment)
    root = read_files(sources.files, context)
    if not root:
        raise empty_file_error(sources.files)
    root.setdefault("services", Table(root.mark))
    normalise(root, name, sources.environment)
    active = active_profiles(profiles, sources.environment, (*services, *naming), root)
    draft = _draft(root, active)
    check_consistency(draft)
    _fill_from_files(draft, sources)
    definition = _definition(draft, sources, name, active, services)
    return definition.copy_with({"read_files": tuple(context.documents)})


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
    """(its name, its working directory, whether COMPOSE_PROJECT_NAME imposes the name); see `load`."""
    sources = discover(directory, files)
    imposed = bool(sources.environment.get("COMPOSE_PROJECT_NAME"))
    return find_name(sources), sources.working_dir, imposed


def _named(sources: Sources, name: str) -> Sources:
    environment = sources.environment.replaced("COMPOSE_PROJECT_NAME", name, "project")
    return Sources(sources.working_dir, sources.files, environment, sources.env_files)


def _draft(root: Table, profiles: Sequence[str]) -> Draft:
    enabled, disabled = split_by_profiles(_decoded(root, "services", SERVICE), profiles)
    return Draft(
        root,
        enabled,
        disabled,
        _decoded(root, "networks", NETWORK),
        _decoded(root, "volumes", VOLUME),
        _decoded(root, "secrets", secret),
        _decoded(root, "configs", CONFIG),
        _decoded(root, "models", MODEL),
    )


def _decoded(root: Table, kind: str, decoder: Decoder) -> dict[str, Values]:
    table: Table = root.get(kind) or Table(root.mark)
    return {
        key: decode(table[key], decoder, table.mark_of(key), (kind, key))
        for key in sorted(table, key=str.encode)
    }


def _fill_from_files(draft: Draft, sources: Sources) -> None:
    for name, service in draft.services.items():
        add_env_files(draft, name, service, sources.environment)
        add_label_files(draft, name, service)


def _definition(
    draft: Draft, sources: Sources, name: str, profiles: Sequence[str], wanted: Iterable[str]
) -> Definition:
    from invoke_devstack.definition.model import Definition

    enabled, disabled = selected_services(draft, wanted)
    resources = used_resources(draft, enabled)
    values: dict[str, Any] = {
        "extensions": {key: plain(value) for key, value in draft.root.items() if key.startswith("x-")},
        "name": name,
        "working_dir": sources.working_dir,
        "files": sources.files,
        "env_files": sources.env_files,
        "profiles": tuple(profiles),
        "services": {key: {"name": key, **service} for key, service in enabled.items()},
        "disabled_services": {key: {"name": key, **service} for key, service in disabled.items()},
        "not_carried_out": names_not_carried_out(enabled, resources),
        "origins": collect_origins(draft.root),
        "environment": sources.environment,
        **resources,
    }
    return Definition.read(values)
