"""Puts one tree over another: several files, `extends`, `!reset` (Compose Specification, "Merge").

Tables are merged key by key and lists are appended; the attributes in `_SPECIAL` have rules of their
own. Then, of the entries of a list that mean the same thing, the last one stays (`_UNIQUE`).
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from invoke_devstack.definition.mounts import parse_mount
from invoke_devstack.definition.scalars import to_text
from invoke_devstack.definition.tree import Items, Mark, Rules, Steps, Table, dotted, fail, items_of, kind_of

Merger = Callable[[Any, Any, Steps, Mark], Any]
Index = Callable[[Any, Steps, Mark], str]


def merge(base: Table, over: Table, steps: Steps = (), rules: Rules[Merger] | None = None) -> Table:
    """`over` put over `base`, which is changed and returned. Raises DefinitionError where they do not fit."""
    return _tables(base, over, steps, rules if rules is not None else _SPECIAL)


def merge_service(base: Table, over: Table, name: str) -> Table:
    """The service `over` put over the one that it extends."""
    rules = _SPECIAL.children["services"].children["*"]
    return _tables(base, over, ("services", name), rules)


def _tables(base: Table, over: Table, steps: Steps, rules: Rules[Merger] | None) -> Table:
    for key, value in over.items():
        mark = over.mark_of(key)
        if key in base:
            below = rules.below(key) if rules else None
            older = base.mark_of(key)
            merged = _values(base[key], value, (*steps, key), mark, below)
            base.put(key, merged, older if merged is base[key] else mark.over(older))
        else:
            base.put(key, value, mark)
    return base


def _values(base: Any, over: Any, steps: Steps, mark: Mark, rules: Rules[Merger] | None) -> Any:
    if rules is not None and rules.here is not None:
        return rules.here(base, over, steps, mark)
    if over is None:
        return base
    if isinstance(base, Table):
        return _tables(base, _same(base, over, steps, mark), steps, rules)
    if isinstance(base, Items):
        _append(base, _same(base, over, steps, mark))
        return base
    return over


def _same(base: Any, over: Any, steps: Steps, mark: Mark) -> Any:
    if isinstance(over, type(base)):
        return over
    raise fail(f"`{dotted(steps)}` is {kind_of(base)} elsewhere, here it is {kind_of(over)}", mark, steps)


def _append(base: Items, over: Items) -> None:
    for value, mark in list(over.entries()):
        base.add(value, mark)


def _replace(base: Any, over: Any, steps: Steps, mark: Mark) -> Any:
    return over


def _as_list(base: Any, over: Any, steps: Steps, mark: Mark) -> Items:
    result = _items(base, steps, mark)
    _append(result, _items(over, steps, mark))
    return result


def _hosts(base: Any, over: Any, steps: Steps, mark: Mark) -> Items:
    result = _items(base, steps, mark)
    known = set(result)
    for value, own in _items(over, steps, mark).entries():
        if value not in known:
            result.add(value, own)
    return result


def _items(value: Any, steps: Steps, mark: Mark) -> Items:
    """`key=value` texts of a table, and lists and single texts as a list."""
    match value:
        case Table():
            entries = [
                (text, value.mark_of(key)) for key, item in value.items() for text in _pairs(key, item, value)
            ]
            return items_of(sorted(entries, key=lambda entry: entry[0]), value.mark)
        case Items():
            return value
        case str():
            return items_of([(value, mark)], mark)
        case None:
            return Items(mark)
    raise fail(f"`{dotted(steps)}` must be a list or a mapping, here is {kind_of(value)}", mark, steps)


def _pairs(key: str, value: Any, table: Table) -> list[str]:
    if value is None:
        return [key]
    values = value if isinstance(value, Items) else [value]
    if any(isinstance(item, dict | list) for item in values):
        raise fail(f"`{key}` must be a single value, here is {kind_of(value)}", table.mark_of(key))
    return [f"{key}={to_text(item)}" for item in values]


def _build(base: Any, over: Any, steps: Steps, mark: Mark) -> Table:
    rules = _SPECIAL.children["services"].children["*"].children["build"]
    return _tables(_context(base, mark), _context(over, mark), steps, rules)


def _context(value: Any, mark: Mark) -> Table:
    if isinstance(value, Table):
        return value
    result = Table(mark)
    if isinstance(value, str):
        result.put("context", value, mark)
    return result


def _named(default: Callable[[Mark], Table | None]) -> Merger:
    def merger(base: Any, over: Any, steps: Steps, mark: Mark) -> Table:
        return _tables(
            _by_name(base, default, steps, mark), _by_name(over, default, steps, mark), steps, None
        )

    return merger


def _by_name(value: Any, default: Callable[[Mark], Table | None], steps: Steps, mark: Mark) -> Table:
    if isinstance(value, Table):
        return value
    if value is None:
        return Table(mark)
    result = Table(mark)
    if not isinstance(value, Items) or not all(isinstance(item, str) for item in value):
        raise fail(f"`{dotted(steps)}` must be a list of names or a mapping", mark, steps)
    for name, own in value.entries():
        result.put(name, default(own), own)
    return result


def started(mark: Mark) -> Table:
    """A dependency in short form, written out."""
    result = Table(mark)
    result.put("condition", "service_started", mark)
    result.put("required", True, mark)
    return result


def _logging(base: Any, over: Any, steps: Steps, mark: Mark) -> Any:
    for value in (base, over):
        if not isinstance(value, Table):
            raise fail(f"`{dotted(steps)}` must be a mapping, here is {kind_of(value)}", mark, steps)
    ours, theirs = base.get("driver"), over.get("driver")
    if ours == theirs or "driver" not in base or "driver" not in over:
        return _tables(base, over, steps, None)
    return over


def _pools(base: Any, over: Any, steps: Steps, mark: Mark) -> Any:
    """Subnets: those that are the same are merged, the others are added."""
    for value in (base, over):
        if not isinstance(value, Items) or not all(isinstance(item, Table) for item in value):
            raise fail(f"`{dotted(steps)}` must be a list of mappings, here is {kind_of(value)}", mark, steps)
    result = Items(base.mark)
    for pool, own in base.entries():
        for other, other_mark in over.entries():
            if other.get("subnet") != pool.get("subnet"):
                if not _has_subnet(result, other.get("subnet")):
                    result.add(other, other_mark)
                    continue
                if _has_subnet(result, pool.get("subnet")):
                    continue
            _put_pool(result, _tables(pool, other, steps, None), own)
    return result


def _has_subnet(pools: Items, subnet: Any) -> bool:
    return any(pool.get("subnet") == subnet for pool in pools)


def _put_pool(pools: Items, pool: Table, mark: Mark) -> None:
    for index, known in enumerate(pools):
        if known.get("subnet") == pool.get("subnet"):
            pools[index] = pool
            return
    pools.add(pool, mark)


_LISTED = [
    "networks.*.labels",
    "volumes.*.labels",
    *(f"services.*.build.{key}" for key in ("additional_contexts", "args", "labels")),
    *(f"services.*.{key}" for key in ("annotations", "deploy.labels", "dns", "dns_opt", "dns_search")),
    *(f"services.*.{key}" for key in ("env_file", "environment", "label_file", "labels", "sysctls", "tmpfs")),
]
_SPECIAL: Rules[Merger] = Rules(
    dict.fromkeys(_LISTED, _as_list)
    | {
        "networks.*.ipam.config": _pools,
        "services.*.build": _build,
        "services.*.build.extra_hosts": _hosts,
        "services.*.command": _replace,
        "services.*.depends_on": _named(started),
        "services.*.entrypoint": _replace,
        "services.*.extra_hosts": _hosts,
        "services.*.healthcheck.test": _replace,
        "services.*.logging": _logging,
        "services.*.models": _named(lambda mark: None),
        "services.*.networks": _named(lambda mark: None),
        "services.*.ulimits.*": _replace,
    }
)


def drop_duplicates(value: Any, steps: Steps = (), rules: Rules[Index] | None = None) -> Any:
    """Of list entries that mean the same, keeps the last one, where the first one stood."""
    rules = rules if rules is not None else _UNIQUE
    if isinstance(value, Table):
        for key, item in value.items():
            below = rules.below(key)
            if below is not None and isinstance(item, Table | Items):
                value[key] = drop_duplicates(item, (*steps, key), below)
        return value
    if rules.here is None:
        return value
    places: dict[str, int] = {}
    result = Items(value.mark)
    for number, (item, mark) in enumerate(value.entries()):
        index = rules.here(item, (*steps, f"[{number}]"), mark)
        if index in places:
            result[places[index]] = item
            result.marks[places[index]] = mark.over(result.marks[places[index]])
        else:
            places[index] = len(result)
            result.add(item, mark)
    return result


def _key_of_pair(value: Any, steps: Steps, mark: Mark) -> str:
    if not isinstance(value, str):
        raise fail(f"`{dotted(steps)}` must be a text, here is {kind_of(value)}", mark, steps)
    return value.partition("=")[0]


def _target_of_volume(value: Any, steps: Steps, mark: Mark) -> str:
    if isinstance(value, str):
        return str(parse_mount(value, mark, steps).get("target", ""))
    return _target(value, steps, mark)


def _target_of_device(value: Any, steps: Steps, mark: Mark) -> str:
    if isinstance(value, str):
        parts = value.split(":")
        return parts[0] if len(parts) == 1 else parts[1]
    return _target(value, steps, mark)


def _target(value: Any, steps: Steps, mark: Mark) -> str:
    if not isinstance(value, Table):
        return ""
    target = value.get("target")
    if not isinstance(target, str):
        raise fail(f"`{dotted(steps)}` needs a `target`", mark, steps, "Say the path in the container.")
    return target


def _target_of_file(folder: str) -> Index:
    def index(value: Any, steps: Steps, mark: Mark) -> str:
        if isinstance(value, Table):
            return str(value.get("target", f"{folder}/{value.get('source')}"))
        if isinstance(value, str):
            return f"{folder}/{value}"
        raise fail(f"`{dotted(steps)}` must be a text or a mapping, here is {kind_of(value)}", mark, steps)

    return index


def _exposed(value: Any, steps: Steps, mark: Mark) -> str:
    if isinstance(value, str | int) and not isinstance(value, bool):
        return str(value)
    raise fail(f"`{dotted(steps)}` must be a port, here is {kind_of(value)}", mark, steps)


def _published(value: Any, steps: Steps, mark: Mark) -> str:
    if not isinstance(value, Table):
        return str(value) if isinstance(value, str | int) else ""
    if "target" not in value:
        raise fail(f"`{dotted(steps)}` needs a `target`", mark, steps, "Say the port in the container.")
    host, protocol = value.get("host_ip", "0.0.0.0"), value.get("protocol", "tcp")
    return f"{host}:{value.get('published')}:{value['target']}/{protocol}"


def _path(value: Any, steps: Steps, mark: Mark) -> str:
    if isinstance(value, Table):
        if not isinstance(value.get("path"), str):
            raise fail(f"`{dotted(steps)}` needs a `path`", mark, steps)
        return str(value["path"])
    return value if isinstance(value, str) else ""


_PAIRS = [
    "networks.*.labels",
    "networks.*.ipam.options",
    *(f"services.*.build.{key}" for key in ("additional_contexts", "args", "labels", "platform", "tags")),
    *(f"services.*.networks.*.{key}" for key in ("aliases", "link_local_ips")),
    *(f"services.*.{key}" for key in ("annotations", "cap_add", "cap_drop", "deploy.labels", "dns")),
    *(f"services.*.{key}" for key in ("dns_opt", "dns_search", "environment", "labels", "links")),
    *(f"services.*.{key}" for key in ("profiles", "sysctls", "tmpfs")),
]
_UNIQUE: Rules[Index] = Rules(
    dict.fromkeys(_PAIRS, _key_of_pair)
    | {
        "services.*.devices": _target_of_device,
        "services.*.configs": _target_of_file(""),
        "services.*.env_file": _path,
        "services.*.expose": _exposed,
        "services.*.ports": _published,
        "services.*.secrets": _target_of_file("/run/secrets"),
        "services.*.volumes": _target_of_volume,
    }
)


def drop_reset(value: Any, resets: list[Steps]) -> None:
    """Removes what `!reset` and `!override` of a later document name."""
    for steps in resets:
        table = value
        for step in steps[:-1]:
            table = table.get(step) if isinstance(table, Table) else None
        if isinstance(table, Table) and steps:
            table.pop(steps[-1], None)
