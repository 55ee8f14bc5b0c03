"""Files with some keys in a place, around which is what makes them count."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

Values = Mapping[str, Any]
File = dict[str, Any]
LABELS = {"l": "1"}


def top(values: Values) -> File:
    return {"services": {"a": {"image": "x"}}, **values}


def service(values: Values) -> File:
    own = {"image": "x", **values}
    return {
        "services": {"a": own, "b": {"image": "y"}},
        "networks": {"n": {}},
        "volumes": {"vol": {}, "w": {}},
        "secrets": {"f": {"file": "/f"}},
        "configs": {"f": {"file": "/f"}},
        "models": {"m": {"model": "ai/m"}},
    }


def below(*steps: str, **base: Any) -> Callable[[Values], File]:
    """A service with the keys at the end of `steps`; `[]` makes a list of one."""

    def wrap(values: Values) -> File:
        inner: Any = {**base, **values}
        for step in reversed(steps):
            inner = [inner] if step == "[]" else {step: inner}
        return service(inner)

    return wrap


def built(values: Values) -> File:
    file = service({})
    file["services"]["a"] = {"build": {"context": "/c", **values}}
    file["services"]["b"] = {"build": {"context": "/d"}}
    return file


def resource(kind: str, name: str, use: Values, **base: Any) -> Callable[[Values], File]:
    def wrap(values: Values) -> File:
        return service(use) | {kind: {name: {**base, **values}}}

    return wrap


def network(values: Values) -> File:
    return service({"networks": ["n"]}) | {"networks": {"n": values}}


def ipam(values: Values) -> File:
    return network({"ipam": {**values}})


def pool(values: Values) -> File:
    return ipam({"config": [{"subnet": "10.0.0.0/24", **values}]})


def mount(kind: str, source: str | None) -> Callable[[Values], File]:
    base = {"type": kind, "target": "/t", **({"source": source} if source else {})}
    return lambda values: service({"volumes": [{**base, kind: {**values}}]})
