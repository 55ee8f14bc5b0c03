"""From files to a `Definition`, step by step."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from invoke_devstack.definition.attributes.decode import decode
from invoke_devstack.definition.attributes.file import FILE, File
from invoke_devstack.definition.model import Definition
from invoke_devstack.definition.reading.context import Context
from invoke_devstack.definition.reading.discover import Sources, discover, find_name
from invoke_devstack.definition.reading.env_files import with_env_files, with_label_files
from invoke_devstack.definition.reading.files import empty_file_error, read_files
from invoke_devstack.definition.reading.normalise import normalise
from invoke_devstack.definition.reading.origins import collect_origins
from invoke_devstack.definition.resolving.consistency import check_consistency
from invoke_devstack.definition.resolving.merged_files import MergedFiles
from invoke_devstack.definition.resolving.selection import (
    active_profiles,
    keys_not_carried_out,
    select_services,
    split_by_profiles,
    used_resources,
)
from invoke_devstack.definition.syntax.tree import Table
from invoke_devstack.errors import DefinitionError, together

if TYPE_CHECKING:
    from invoke_devstack.definition.attributes.service import Service

SUMMARY = "{count} things are missing or wrong in the Compose files"


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
    production: bool = False,
    gathering: bool = False,
) -> Definition:
    """The definition of the project in `directory`, fully checked.

    `environment` is the process's by default. `files`, `env_files` and `profiles` replace what would be
    found (`compose.yaml` and the like, `.env`, COMPOSE_PROFILES). With `services`, only those and their
    dependencies are enabled, whatever their profiles. `naming` activates the profiles of these services and
    leaves the others as they are. For `production`, see `discover`. Raises DefinitionError with a
    position, and UsageError for an unknown name; for several variables and files that are missing, one error
    with a line for each. With `gathering`, those are in `missing` instead, and their values are empty: the
    caller must raise them, with what else it finds, before it does anything.
    """
    sources = discover(directory, files, environment, env_files, production=production)
    sources = sources.named(find_name(sources, project_name))
    context = Context(sources.working_dir, sources.environment)
    for blank in sources.blanks:
        context.unset.add_at(*blank)
    try:
        root = _read(sources, context)
        active = active_profiles(profiles, sources.environment, (*services, *naming), root)
        merged = _merged_files(root, active, sources, context)
        loaded = _definition(merged, sources, active, context, services)
    except DefinitionError as error:
        found = context.missing.problems_with(context.unset.explain(error))
        raise together(found, DefinitionError, SUMMARY) from None
    if loaded.missing and not gathering:
        raise together(loaded.missing, DefinitionError, SUMMARY)
    return loaded


def _read(sources: Sources, context: Context) -> Table:
    root = read_files(sources.files, context)
    if not root:
        raise empty_file_error(sources.files)
    root.setdefault("services", Table(root.location))
    normalise(root, sources.name, sources.environment)
    return root


def _definition(
    merged: MergedFiles,
    sources: Sources,
    profiles: Sequence[str],
    context: Context,
    wanted: Sequence[str],
) -> Definition:
    enabled, disabled = select_services(merged, wanted)
    resources = used_resources(merged, enabled)
    return Definition(
        name=sources.name,
        working_dir=sources.working_dir,
        files=sources.files,
        env_files=sources.env_files,
        read_files=tuple(context.documents),
        profiles=tuple(name for name in profiles if name),
        services=enabled,
        disabled_services=disabled,
        **resources,
        extensions=merged.extensions,
        not_carried_out=tuple(keys_not_carried_out(enabled, resources)),
        origins=collect_origins(merged.root),
        environment=sources.environment,
        unset=context.unset.positions(),
        missing=context.missing.problems(),
    )


def _merged_files(root: Table, profiles: Sequence[str], sources: Sources, context: Context) -> MergedFiles:
    file: File = decode(root, FILE.decode, root.location, ())
    services = {name: service.copy_with({"name": name}) for name, service in file.services.items()}
    enabled, disabled = split_by_profiles(services, profiles)
    merged = MergedFiles(
        root=root,
        services=enabled,
        disabled_services=disabled,
        networks=file.networks,
        volumes=file.volumes,
        secrets=file.secrets,
        configs=file.configs,
        models=file.models,
        extensions=file.extensions,
    )
    check_consistency(merged)
    return replace(merged, services=_completed(merged, sources, context))


def _completed(merged: MergedFiles, sources: Sources, context: Context) -> dict[str, Service]:
    def add(error: DefinitionError) -> None:
        context.missing.add(context.unset.explain(error))

    completed = {}
    for name, service in merged.services.items():
        service = with_env_files(service, sources.environment, merged.position, add, context.unset.add_at)
        service = with_label_files(service, merged.position, add)
        completed[name] = _with_replicas(service)
    return completed


def _with_replicas(service: Service) -> Service:
    """The service with `scale` in `deploy.replicas` too, as Compose prints it."""
    if service.scale is None or service.deploy is None:
        return service
    return service.copy_with({"deploy": service.deploy.copy_with({"replicas": service.scale})})
