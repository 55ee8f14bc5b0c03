"""Short forms to long ones, defaults, and the rules that concern one attribute alone.

After this each attribute has one form: ports, mounts, secrets and devices are mappings, dependencies
and networks are keyed by name.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from invoke_devstack.definition.merge import started
from invoke_devstack.definition.mounts import parse_mount
from invoke_devstack.definition.ports import is_address, parse_ports
from invoke_devstack.definition.scalars import to_text
from invoke_devstack.definition.tree import Items, Mark, Steps, Table, dotted, fail, items_of, table_of

Transform = Callable[[Any, Mark, Steps], Any]


def canonical(root: Table) -> Table:
    """`root` with all short forms written out, in place. Expects a tree that the schema has passed."""
    for name, service in (root.get("services") or {}).items():
        _each_key(service, ("services", name), _SERVICE)
        _drop_empty(service.get("dns"))
    for kind in ("volumes", "networks", "secrets", "configs"):
        for name, resource in (root.get(kind) or {}).items():
            _external(resource, (kind, name))
    return root


def _each_key(table: Table, steps: Steps, transforms: Mapping[str, Transform]) -> Table:
    for key in transforms.keys() & table.keys():
        table[key] = transforms[key](table[key], table.mark_of(key), (*steps, key))
    return table


def _drop_empty(values: Any) -> None:
    if isinstance(values, Items):
        kept = items_of([entry for entry in values.entries() if entry[0]], values.mark)
        values[:], values.marks[:] = kept, kept.marks


def _each(transform: Transform) -> Transform:
    """Transforms each value of a list or mapping."""

    def transform_all(value: Any, mark: Mark, steps: Steps) -> Any:
        if isinstance(value, Items):
            for index, (item, own) in enumerate(value.entries()):
                value[index] = transform(item, own, (*steps, f"[{index}]"))
        elif isinstance(value, Table):
            for key, item in value.items():
                value[key] = transform(item, value.mark_of(key), (*steps, key))
        return value

    return transform_all


def _as_list(value: Any, mark: Mark, steps: Steps) -> Any:
    return items_of([(value, mark)], mark) if isinstance(value, str) else value


def _as_text(value: Any, mark: Mark, steps: Steps) -> str:
    return to_text(value)


def _by_name(value: Any, mark: Mark, steps: Steps) -> Any:
    if not isinstance(value, Items):
        return value
    result = Table(value.mark)
    for name, own in value.entries():
        result.put(name, None, own)
    return result


def _depends_on(value: Any, mark: Mark, steps: Steps) -> Table:
    result = Table(value.mark)
    entries = value.entries() if isinstance(value, Items) else [(key, value.mark_of(key)) for key in value]
    for name, own in entries:
        dependency = value[name] if isinstance(value, Table) else started(own)
        for key, default in started(own).items():
            dependency.setdefault(key, default)
        result.put(name, dependency, own)
    return result


def _env_file(value: Any, mark: Mark, steps: Steps) -> Any:
    def entry(item: Any, own: Mark, _: Steps) -> Any:
        result = table_of({"path": item}, own) if isinstance(item, str) else item
        result.setdefault("required", True)
        return result

    return _each(entry)(_as_list(value, mark, steps), mark, steps)


def _gpus(value: Any, mark: Mark, steps: Steps) -> Any:
    return items_of([(table_of({"count": "all"}, mark), mark)], mark) if isinstance(value, str) else value


def _mount(value: Any, mark: Mark, steps: Steps) -> Any:
    return parse_mount(value, mark, steps) if isinstance(value, str) else value


def _device(value: Any, mark: Mark, steps: Steps) -> Any:
    if not isinstance(value, str):
        return value
    parts = value.split(":")
    if len(parts) > 3:
        raise fail(f"`{value}` is no device", mark, steps, "Write SOURCE:TARGET:PERMISSIONS.")
    target = parts[1] if len(parts) > 1 and parts[1] else parts[0]
    permissions = parts[2] if len(parts) == 3 else "rwm"
    return table_of({"source": parts[0], "target": target, "permissions": permissions}, mark)


def _file_reference(value: Any, mark: Mark, steps: Steps) -> Any:
    return table_of({"source": value}, mark) if isinstance(value, str) else value


def _ports(value: Any, mark: Mark, steps: Steps) -> Items:
    result = Items(mark)
    for index, (item, own) in enumerate(value.entries()):
        if isinstance(item, Table):
            result.add(item, own)
            continue
        for port in _short_port(item, own, (*steps, f"[{index}]")):
            result.add(port, own)
    return result


def _short_port(value: Any, mark: Mark, steps: Steps) -> list[Table]:
    hint = "Write HOST:CONTAINER, such as 8080:80."
    if isinstance(value, float):
        raise fail(f"`{dotted(steps)}`: `{to_text(value)}` is no port", mark, steps, hint)
    try:
        specs = parse_ports(str(value))
    except ValueError as error:
        raise fail(f"`{dotted(steps)}`: {error}", mark, steps, hint) from None
    return [
        table_of(
            {
                "mode": "ingress",
                "target": spec.target,
                "protocol": spec.protocol,
                **({"published": spec.published} if spec.published else {}),
                **({"host_ip": spec.host_ip} if spec.host_ip else {}),
            },
            mark,
        )
        for spec in specs
    ]


def _build(value: Any, mark: Mark, steps: Steps) -> Any:
    if isinstance(value, str):
        return table_of({"context": value}, mark)
    return _each_key(value, steps, _BUILD)


def _additional_contexts(value: Any, mark: Mark, steps: Steps) -> Any:
    if not isinstance(value, Items):
        return value
    result = Table(value.mark)
    for text, own in value.entries():
        name, equals, context = text.partition("=")
        if not equals:
            raise fail(f"`{text}` is no additional context", own, steps, "Write NAME=CONTEXT.")
        result.put(name, context, own)
    return result


def _ssh(value: Any, mark: Mark, steps: Steps) -> Any:
    if not isinstance(value, Items):
        return value
    result = Table(value.mark)
    for text, own in value.entries():
        name, equals, path = text.partition("=")
        if not equals and name != "default":
            raise fail(f"`{text}` is no SSH key", own, steps, "Write `default`, or ID=PATH.")
        result.put(name, path if equals else None, own)
    return result


def _develop(value: Any, mark: Mark, steps: Steps) -> Any:
    for rule in (value or {}).get("watch") or ():
        _each_key(rule, steps, {"ignore": _as_list, "include": _as_list})
    return value


def _external(resource: Any, steps: Steps) -> None:
    """`external: {name: …}`, the old form, becomes `external: true` and `name`."""
    external = resource.get("external") if isinstance(resource, Table) else None
    if not isinstance(external, Table):
        return
    resource["external"] = True
    if "name" not in external:
        return
    mark = external.mark_of("name")
    if "name" in resource and resource["name"] != external["name"]:
        raise fail(f"`{dotted(steps)}` has two names", mark, steps, "Keep `name` alone.")
    resource.put("name", external["name"], mark)


_BUILD: Mapping[str, Transform] = {
    "secrets": _each(_file_reference),
    "provenance": _as_text,
    "sbom": _as_text,
    "additional_contexts": _additional_contexts,
    "ssh": _ssh,
}
_SERVICE: Mapping[str, Transform] = {
    "depends_on": _depends_on,
    "env_file": _env_file,
    "label_file": _as_list,
    "gpus": _gpus,
    "networks": _by_name,
    "models": _by_name,
    "volumes": _each(_mount),
    "dns": _as_list,
    "devices": _each(_device),
    "secrets": _each(_file_reference),
    "configs": _each(_file_reference),
    "ports": _ports,
    "build": _build,
    "develop": _develop,
}


def set_defaults(root: Table) -> None:
    """Writes out what an attribute means when a part of it is left out, in place."""
    for service in (root.get("services") or {}).values():
        if isinstance(service.get("build"), Table):
            service["build"].setdefault("context", ".")
        for secret in service.get("secrets") or ():
            secret.setdefault("target", f"/run/secrets/{secret.get('source') or ''}")
        for port in service.get("ports") or ():
            port.setdefault("protocol", "tcp")
            port.setdefault("mode", "ingress")
        for device in _device_requests(service):
            if "device_ids" not in device:
                device.setdefault("count", "all")


def _device_requests(service: Table) -> list[Table]:
    value: Any = service.get("deploy")
    for key in ("resources", "reservations", "devices"):
        value = value.get(key) if isinstance(value, Table) else None
    return [*(value or ()), *(service.get("gpus") or ())]


def check_attributes(root: Table) -> None:
    """The rules about one attribute that the schema cannot say. Raises DefinitionError."""
    for name, service in (root.get("services") or {}).items():
        _check_ports(service, ("services", name, "ports"))
        _check_watch(service, ("services", name, "develop", "watch"))
        for device in _device_requests(service):
            if "count" in device and "device_ids" in device:
                message = "a device request takes `count` or `device_ids`, not both"
                raise fail(message, device.mark, ("services", name))
    for name, volume in (root.get("volumes") or {}).items():
        _check_external(volume, ("volumes", name))
    for kind, keys in _SOURCES.items():
        for name, value in (root.get(kind) or {}).items():
            _check_source(value, keys, (kind, name))


_SOURCES = {"configs": ("file", "environment", "content"), "secrets": ("file", "environment")}


def _check_ports(service: Table, steps: Steps) -> None:
    for index, port in enumerate(service.get("ports") or ()):
        address = port.get("host_ip")
        if address is not None and not is_address(address):
            raise fail(f"`{address}` is no IP address", port.mark_of("host_ip"), (*steps, f"[{index}]"))


def _check_watch(service: Table, steps: Steps) -> None:
    for index, rule in enumerate((service.get("develop") or {}).get("watch") or ()):
        if rule.get("path") == "":
            raise fail("`path` is empty", rule.mark_of("path"), (*steps, f"[{index}]", "path"))


def _check_external(volume: Any, steps: Steps) -> None:
    if not isinstance(volume, Table) or volume.get("external") is not True:
        return
    for key in volume:
        if key not in ("name", "external") and not key.startswith("x-"):
            message = f"`{dotted(steps)}` is external: `{key}` cannot be set here"
            raise fail(message, volume.mark_of(key), (*steps, key), "An external volume takes `name` alone.")


def _check_source(value: Table, keys: tuple[str, ...], steps: Steps) -> None:
    given = [key for key in keys if key in value]
    wanted = " or ".join(f"`{key}`" for key in keys)
    if len(given) > 1:
        raise fail(f"`{dotted(steps)}` takes one of {wanted}", value.mark_of(given[1]), steps)
    if not given and "driver" not in value and "external" not in value:
        raise fail(f"`{dotted(steps)}` needs {wanted}", value.mark, steps)
