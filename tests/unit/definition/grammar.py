"""Definitions made up by Hypothesis from the Compose Specification's grammar.

Every attribute has values in its short and long forms, right ones and wrong ones. A definition is a set
of files; values are written in YAML's flow style, so that a `Raw` text can be any scalar or tag.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from hypothesis import strategies as st

from tests.unit.definition.grammar_attributes import ATTRIBUTES
from tests.unit.definition.grammar_values import (
    BOOLEANS,
    DOT_ENV,
    ENVIRONMENT,
    NAMES,
    ODD,
    OPTIONS,
    PAIRS,
    SCALARS,
    Raw,
    mostly,
    to_file,
    to_yaml,
)

__all__ = ["ATTRIBUTES", "ENVIRONMENT", "SUPPORT_FILES", "definitions", "to_file"]

NETWORK = st.one_of(
    st.none(),
    st.fixed_dictionaries(
        {},
        optional={
            "name": SCALARS,
            "driver": SCALARS,
            "driver_opts": OPTIONS,
            "external": BOOLEANS | st.just({"name": "other"}),
            "internal": BOOLEANS,
            "attachable": BOOLEANS,
            "enable_ipv6": BOOLEANS,
            "enable_ipv4": BOOLEANS,
            "labels": PAIRS,
            "ipam": st.fixed_dictionaries(
                {},
                optional={
                    "driver": SCALARS,
                    "config": st.lists(
                        st.fixed_dictionaries(
                            {},
                            optional={
                                "subnet": st.sampled_from(["10.0.0.0/24", "10.1.0.0/24"]),
                                "gateway": SCALARS,
                                "ip_range": SCALARS,
                                "aux_addresses": st.dictionaries(NAMES, SCALARS, max_size=1),
                            },
                        ),
                        max_size=2,
                    ),
                    "options": st.dictionaries(NAMES, SCALARS, max_size=1),
                },
            ),
        },
    ),
)
VOLUME = st.one_of(
    st.none(),
    st.fixed_dictionaries(
        {},
        optional={
            "name": SCALARS,
            "driver": st.sampled_from(["local", "other"]),
            "driver_opts": OPTIONS | st.just({"o": "bind", "device": "./here", "type": "none"}),
            "external": BOOLEANS | st.just({"name": "other"}),
            "labels": PAIRS,
            "x-own": ODD,
        },
    ),
)
SOURCES = [
    {"file": "./a"},
    {"file": "~/b"},
    {"environment": "ALPHA"},
    {"environment": "UNSET"},
    {"external": True},
]
ODD_SOURCES: list[Any] = [{}, {"file": "a", "environment": "B"}, {"external": False}]


def _with_more(source: dict[str, Any], more: dict[str, Any]) -> dict[str, Any]:
    return {**source, **more}


MORE = st.fixed_dictionaries({}, optional={"name": SCALARS, "labels": PAIRS, "x-own": ODD})
SECRET = st.builds(_with_more, mostly(SOURCES, ODD_SOURCES), MORE)
CONFIG = st.builds(_with_more, mostly([*SOURCES, {"content": "a $$b ${ALPHA}"}], ODD_SOURCES), MORE)
SERVICE_NAMES = ("one", "two", "three")


@st.composite
def services(draw: st.DrawFn, base: Mapping[str, Any], count: int = 6) -> dict[str, Any]:
    """A service with a few attributes, chosen from all."""
    names = draw(st.lists(st.sampled_from(sorted(ATTRIBUTES)), max_size=count, unique=True))
    misspelt = {"unknown": "key"} if draw(st.integers(0, 255)) == 77 else {}
    return {**base, **{name: draw(ATTRIBUTES[name]) for name in names}, **misspelt}


@st.composite
def resources(draw: st.DrawFn) -> dict[str, Any]:
    """The networks, volumes, secrets and configs that services refer to, plain ones more often than not."""
    plain: dict[str, dict[str, Any]] = {
        "networks": {"front": None, "back": None},
        "volumes": {"data": None, "alpha": None, "front": None, "a": None},
        "secrets": {"s1": {"file": "./s1"}, "s2": {"environment": "ALPHA"}},
        "configs": {"s1": {"content": "x"}, "s2": {"file": "./c"}},
    }
    kind = draw(st.sampled_from(["", "", "", "networks", "volumes", "secrets", "configs"]))
    values = {"networks": NETWORK, "volumes": VOLUME, "secrets": SECRET, "configs": CONFIG}
    if kind:
        names = sorted(plain[kind])
        plain[kind] = {name: draw(values[kind]) for name in names}
    return plain


SUPPORT_FILES = {
    ".env": DOT_ENV,
    "extra.env": "A=extra\nB=${ALPHA}\nNEW='single $ALPHA'\nD=\"line\\nbreak ${C}\"\n# comment\nALPHA\n",
    "more.env": "A=more # comment\nexport E = spaced\nF: colon\nG=${A}-${UNSET:-x}\n",
}


@st.composite
def definitions(draw: st.DrawFn) -> dict[str, str]:
    """Files by name: `compose.yaml`, perhaps an override, an extended file, an included file."""
    files = dict(SUPPORT_FILES)
    files[".env"] += draw(st.sampled_from(["", "", "COMPOSE_PROFILES=debug\n", "COMPOSE_PROFILES=*\n"]))
    count = draw(st.integers(1, 3))
    base = {"image": "x"}
    main = {name: draw(services(base)) for name in SERVICE_NAMES[:count]}
    form = draw(
        st.sampled_from(["one", "one", "two files", "tags", "extends", "extends file", "include", "anchors"])
    )
    top: dict[str, Any] = {"services": main, **draw(resources())}
    if form in ("two files", "tags"):
        over = {name: draw(services({}, 4)) for name in SERVICE_NAMES[:count]}
        if form == "tags":
            over = {name: _tagged(draw, service) for name, service in over.items()}
        more = draw(resources()) if draw(st.booleans()) else {}
        files["compose.override.yaml"] = to_file({"services": over, **more})
    if form == "extends":
        main["one"] = draw(
            services({"extends": draw(st.sampled_from(["two", {"service": "two"}, "two", "nobody", "one"]))})
        )
        main.setdefault("two", draw(services(base)))
    if form == "extends file":
        main["one"] = draw(services({"extends": {"file": "sub/common.yaml", "service": "base"}}))
        files["sub/common.yaml"] = to_file(
            {"services": {"base": draw(services({**base, "extends": "root"})), "root": draw(services({}))}}
        )
    if form == "include":
        top["include"] = draw(
            st.sampled_from(
                [
                    ["sub/more.yaml"],
                    [{"path": "sub/more.yaml", "project_directory": "."}],
                    [{"path": ["sub/more.yaml"]}],
                ]
            )
        )
        files["sub/more.yaml"] = to_file({"services": {"extra": draw(services(base))}})
        files["sub/.env"] = "FROM_FILE=included\nUNSET=now set\n"
    text = to_file(top)
    if form == "anchors":
        text = f"x-common: &common {to_yaml(draw(services({}, 3)))}\n{text}"
        text += f"x-more: {to_yaml({'a': Raw('*common')})}\n"
        text = text.replace('{"one": {', '{"one": {<<: *common, ', 1)
    if draw(st.integers(0, 5)) == 3:
        names = ["web", "My App", "a_b-c", "x${NUMBER}", "${UNSET:-other}", "_lead"]
        text = f"name: {to_yaml(draw(mostly(names, ['', '!!', '${UNSET}', 3])))}\n{text}"
    files["compose.yaml"] = text
    return files


def _tagged(draw: st.DrawFn, service: dict[str, Any]) -> dict[str, Any]:
    tagged = {name: Raw(f"!override {to_yaml(value)}") for name, value in service.items()}
    chosen = {name: tagged[name] if draw(st.booleans()) else value for name, value in service.items()}
    removed = draw(st.lists(st.sampled_from(["image", "environment", "ports", "command"]), max_size=1))
    return {**chosen, **{name: Raw("!reset null") for name in removed}}
