"""`extends` of the services of one file (Compose Specification, "extends")."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from invoke_devstack.definition.attributes.file import FILE, SERVICES
from invoke_devstack.definition.attributes.merge import drop_reset, merge
from invoke_devstack.definition.attributes.paths import Base, absolute
from invoke_devstack.definition.reading.check import check
from invoke_devstack.definition.reading.context import Context, content_of, require_file
from invoke_devstack.definition.reading.interpolate import interpolate, rewrite
from invoke_devstack.definition.syntax.tree import Location, Steps, Table, clone, dotted, fail, kind_of
from invoke_devstack.errors import DefinitionError, did_you_mean
from invoke_devstack.records import record


@record
class _Services:
    """The services of a file, and what its last document resets."""

    file: Path
    table: Table
    resets: list[Steps]


_Chain = tuple[tuple[Path, str], ...]


def extend_services(root: Table, file: Path, resets: list[Steps], context: Context) -> None:
    """Replaces each service of `root` by itself merged over the service that it extends."""
    services = root.get("services")
    if services is None:
        return
    if not isinstance(services, Table):
        message = f"`services` must be a mapping, not {kind_of(services)}"
        raise fail(message, root.location_of("services"), ("services",))
    for name in list(services):
        services[name] = _extended(name, _Services(file, services, resets), context, ())


def _extended(name: str, services: _Services, context: Context, chain: _Chain) -> Any:
    service = services.table[name]
    if not isinstance(service, Table) or "extends" not in service:
        return service
    steps = ("services", name, "extends")
    location = service.location_of("extends")
    chain = (*chain, (services.file, name))
    _refuse_cycle(chain, location, steps)
    base_name, base_services = _base(service["extends"], services, context, location, steps)
    if base_name not in base_services.table:
        raise _unknown(base_name, base_services, location, steps)
    base = _extended(base_name, base_services, context, chain)
    if not isinstance(base, Table):
        return service
    base = clone(base)
    _drop_reset(base, name, services.resets)
    merged = merge(base, service, SERVICES.values, ("services", name))
    merged.pop("extends", None)
    services.table[name] = merged
    return merged


def _drop_reset(service: Table, name: str, resets: list[Steps]) -> None:
    services = Table(service.location)
    services[name] = service
    root = Table(service.location)
    root["services"] = services
    drop_reset(root, resets)


def _refuse_cycle(chain: _Chain, location: Location, steps: Steps) -> None:
    if chain[-1] in chain[:-1]:
        names = [name for _, name in chain[chain.index(chain[-1]) :]]
        raise fail(f"circular `extends`: {' -> '.join(names)}", location, steps, "Remove one of them.")


def _base(
    value: Any, services: _Services, context: Context, location: Location, steps: Steps
) -> tuple[str, _Services]:
    """The name of the service to extend, and the services among which it is."""
    if isinstance(value, str):
        return value, services
    if not isinstance(value, Table) or not isinstance(value.get("service"), str):
        hint = "Write the name of the service to extend."
        raise fail("`extends` needs a `service`", location, steps, hint)
    file = value.get("file")
    if file is None:
        return value["service"], services
    if not isinstance(file, str):
        message = f"`file` must be a string, not {kind_of(file)}"
        raise fail(message, value.location_of("file"), steps)
    found = Path(absolute(file, context.base))
    return value["service"], _read_base(found, context, value.location_of("file"), (*steps, "file"))


def _read_base(file: Path, context: Context, location: Location, steps: Steps) -> _Services:
    """The services of another file, whose paths are relative to that file. As in Compose, lists with repeated
    entries are refused only where they are still that after the merge."""
    require_file(file, location, steps)
    root = Table(location)
    resets: list[Steps] = []
    empty = Table(location)  # services without a body: in another file they may be extended
    for document in context.read(file):
        content = _only_services(content_of(document), empty)
        interpolate(content, context.environment, context.unset, context.missing)
        resets = document.resets
        drop_reset(root, resets)
        root = put_over(root, content, repeats=True)
    rewrite("resolve", root, FILE, root.location, (), Base(file.parent, context.base.home))
    services = root.get("services") or Table(location)
    for name in empty:
        services.setdefault(name, empty[name])
    if not services:
        raise fail(f"{file} has no services", location, steps)
    return _Services(file, services, resets)


def put_over(root: Table, content: Table, *, repeats: bool = False) -> Table:
    """`content` merged over `root`, checked, in long form; `repeats` as in `check`. Raises
    DefinitionError."""
    root = rewrite("unique", merge(root, content, FILE), FILE, root.location)
    check(root, FILE, root.location, repeats=repeats)
    for step in ("expand", "unique"):
        root = rewrite(step, root, FILE, root.location)
    return root


def _only_services(root: Table, empty: Table) -> Table:
    """The services of `root`; those without a body go into `empty`."""
    result = Table(root.location)
    services = root.get("services")
    if isinstance(services, Table):
        for name in [name for name, service in services.items() if service is None]:
            empty.put(name, Table(services.location_of(name)), services.location_of(name))
            del services[name]
    if services:
        result.put("services", services, root.location_of("services"))
    return result


def _unknown(name: str, services: _Services, location: Location, steps: Steps) -> DefinitionError:
    hint = did_you_mean(name, services.table, f"Services: {', '.join(services.table)}.")
    return fail(f"`{dotted(steps)}`: unknown service `{name}` in {services.file}", location, steps, hint)
