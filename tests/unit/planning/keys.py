"""A sample of every key that files may have: place -> a file with the keys, and a value for each key."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

from invoke_devstack.definition.attributes.file import INCLUDES
from invoke_devstack.definition.attributes.part import ValueType
from tests.unit.planning.key_files import LABELS, File, Values, ipam, network, pool, resource, service, top
from tests.unit.planning.service_keys import SERVICE_SAMPLES


def declared(kind: ValueType[Any] | None, path: str = "") -> Iterator[tuple[str, str]]:
    """(place, key) of all that files may have."""
    if kind is None:
        return
    for name, key in kind.part.keys.items() if kind.part else ():
        if not name.startswith("x-"):
            yield path, name
        below = INCLUDES if name == "include" and not path else key.kind
        yield from declared(below, f"{path}.{name}" if path else name)
    yield from declared(kind.values, f"{path}.*")
    yield from declared(kind.items, f"{path}[]")


SAMPLES: dict[str, tuple[Callable[[Values], File], dict[str, Any]]] = {
    "": (
        top,
        {
            "version": "3",
            "name": "q",
            "include": ["/included.yaml"],
            "services": {"a": {"image": "z"}},
            "networks": {"default": {"internal": True}},
            "volumes": {"vol": {}},
            "secrets": {"f": {"file": "/f"}},
            "configs": {"f": {"file": "/f"}},
            "models": {"m": {"model": "ai/m"}},
        },
    ),
    "include[]": (
        lambda values: top({"include": [values]}),
        dict.fromkeys(("path", "env_file", "project_directory")),
    ),
    **SERVICE_SAMPLES,
    "networks.*": (
        network,
        {
            "name": "m",
            "driver": "macvlan",
            "driver_opts": {"o": "1"},
            "ipam": {"config": [{"subnet": "10.0.0.0/24"}]},
            "external": True,
            "internal": True,
            "attachable": True,
            "labels": LABELS,
            "enable_ipv4": False,
            "enable_ipv6": True,
        },
    ),
    "networks.*.external": (lambda values: network({"external": values}), {"name": "m"}),
    "networks.*.ipam": (
        ipam,
        {"driver": "i", "config": [{"subnet": "10.0.0.0/24"}], "options": {"o": "1"}},
    ),
    "networks.*.ipam.config[]": (
        pool,
        {
            "subnet": "10.1.0.0/24",
            "gateway": "10.0.0.9",
            "ip_range": "10.0.0.0/28",
            "aux_addresses": {"h": "10.0.0.8"},
        },
    ),
    "volumes.*": (
        resource("volumes", "vol", {"volumes": ["vol:/v1"]}),
        {"name": "m", "driver": "d", "driver_opts": {"o": "1"}, "external": True, "labels": LABELS},
    ),
    "volumes.*.external": (
        lambda values: service({"volumes": ["vol:/v1"]}) | {"volumes": {"vol": {"external": values}}},
        {"name": "m"},
    ),
    **{
        f"{kind}.*": (
            resource(kind, "f", {kind: ["f"]}, file="/f"),
            {
                "name": "m",
                "file": "/g",
                "environment": "E",
                "external": True,
                "labels": LABELS,
                "template_driver": "t",
                **({"content": "c"} if kind == "configs" else {"driver": "d", "driver_opts": {"o": "1"}}),
            },
        )
        for kind in ("secrets", "configs")
    },
    **{
        f"{kind}.*.external": (resource(kind, "f", {kind: ["f"]}, file="/f"), {"name": "m"})
        for kind in ("secrets", "configs")
    },
    "models.*": (
        resource("models", "m", {"models": ["m"]}, model="ai/m"),
        {"name": "n", "model": "ai/n", "context_size": 5, "runtime_flags": ["f"]},
    ),
}
"""Place -> (the file that has the keys there, key -> a value). In a place, `*` is any name, `[]` an entry."""
