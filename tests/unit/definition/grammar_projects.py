"""Projects made up by Hypothesis of what real ones have and a grammar alone does not: keys without values,
empty names, aliases of every kind of node, chains of files, and a subfolder that the command is typed in.
"""

from __future__ import annotations

from typing import Any

from hypothesis import strategies as st

from tests.unit.definition.grammar import SUPPORT_FILES, resources, services
from tests.unit.definition.grammar_attributes import ATTRIBUTES
from tests.unit.definition.grammar_values import PAIRS, SCALARS, TEXTS, Raw, mostly, to_file, to_yaml

EMPTY = st.sampled_from(
    [None, Raw(""), Raw("~"), "", [], {}, [""], [None], {"": ""}, {"a": None}, Raw("!!null")]
)
"""Every form of no value."""
LISTS = ["ports", "volumes", "expose", "dns", "cap_add", "tmpfs", "secrets", "configs", "group_add"]
MAPPINGS = ["environment", "labels", "networks", "depends_on", "extra_hosts", "sysctls", "deploy", "build"]
OFTEN_EMPTY: st.SearchStrategy[tuple[str, Any]] = st.sampled_from(
    [
        *((name, []) for name in LISTS),
        *((name, {}) for name in MAPPINGS if name != "build"),
        *(("environment", value) for value in ({"A": None}, {"A": ""}, ["A"], ["A="], {"": "x"}, [""])),
        *(("labels", value) for value in ({"a": None}, {"a": ""}, ["a"], ["a="])),
        *((name, value) for name in ("command", "entrypoint") for value in ("", [], None, [""])),
        *((name, "") for name in ("hostname", "restart", "user", "working_dir", "network_mode", "image")),
        ("env_file", []),
        ("healthcheck", {}),
        ("logging", {}),
        ("networks", {"front": None, "back": {}}),
        ("depends_on", []),
    ]
)
"""Keys as people leave them."""
PROFILES = st.lists(st.sampled_from(["", "debug", "search", "*", "${UNSET}"]), max_size=2)
PEOPLE = mostly(
    ["${UID:-1000}:${GID:-1000}", "${USER:-x}", "${UNSET}", "$UNSET", "${EMPTY:-}", "${A_B:-${C_D:-e}}"],
    [None],
)


@st.composite
def projects(draw: st.DrawFn) -> tuple[dict[str, str], str]:
    """Files by name, and the folder that the command is typed in ("" for that of `compose.yaml`)."""
    files = dict(SUPPORT_FILES)
    main = {name: draw(_service()) for name in ("one", "two")}
    top: dict[str, Any] = {"services": main, **draw(resources()), **draw(_empty_top())}
    anchors = draw(_anchors()) if draw(st.booleans()) else {}
    forms = [_chain, _include, _several, _profiles]
    for form in draw(st.lists(st.sampled_from(forms), max_size=2, unique=True)):
        form(draw, files, top)
    files["compose.yaml"] = _with_anchors(draw, top, anchors)
    folder = draw(st.sampled_from(["", "", "back/end"]))
    if folder:
        files["back/end/.env"] = draw(st.sampled_from(["", "ALPHA=sub\nFROM_FILE=sub\n", "UNSET=sub # c\n"]))
    return files, folder


def _rarely(draw: st.DrawFn) -> bool:
    """One wrong value is enough to have the whole refused."""
    return draw(st.integers(0, 15)) == 5


@st.composite
def _service(draw: st.DrawFn) -> dict[str, Any]:
    """A service some of whose keys have no value."""
    made = draw(services({"image": "x"}, 2))
    made |= dict(draw(st.lists(OFTEN_EMPTY, max_size=3)))
    if _rarely(draw):
        made[draw(st.sampled_from(sorted(ATTRIBUTES)))] = draw(EMPTY)
    if draw(st.integers(0, 3)) == 0:
        made["user"] = draw(PEOPLE)
    return made


@st.composite
def _empty_top(draw: st.DrawFn) -> dict[str, Any]:
    keys = ["networks", "volumes", "secrets", "configs", "x-a", "version"]
    chosen = draw(st.lists(st.sampled_from(keys), max_size=1))
    return {name: draw(EMPTY if _rarely(draw) else st.sampled_from([None, {}])) for name in chosen}


WORDS = st.sampled_from(["x", "1", "yes", "${ALPHA}", "${UNSET:-other}", "", Raw("3"), Raw("1.50"), Raw("~")])
ANCHORED: dict[str, st.SearchStrategy[Any]] = {
    "scalar": WORDS | SCALARS,
    "list": st.lists(st.sampled_from(["a", "b", "A=1", "${ALPHA}"]), max_size=2, unique=True) | TEXTS,
    "map": st.dictionaries(st.sampled_from(["A", "B", "com.example.key"]), WORDS, max_size=3),
    "service": services({}, 2),
    "nothing": st.none(),
    "pairs": PAIRS,
}
"""What an anchor may stand before, by name."""
FITTING = {
    "scalar": ("hostname", "x-own", "in environment"),
    "list": ("command", "entrypoint", "x-own", "in a list", "profiles", "environment"),
    "map": ("environment", "labels", "merged environment", "merged labels", "in deploy", "in logging"),
    "service": ("<<", "<< twice", "x-own"),
    "nothing": ("environment", "labels", "x-own", "command"),
    "pairs": ("environment", "labels", "in deploy", "in build"),
}
"""Where an alias of each is right."""
FORMS = {
    "in environment": ("environment", "{{A: *{}}}"),
    "in a list": ("tmpfs", "[*{}, /tmp]"),
    "merged environment": ("environment", "{{<<: *{}, A: own}}"),
    "merged labels": ("labels", "{{A: own, <<: [*{}]}}"),
    "in deploy": ("deploy", "{{labels: *{}}}"),
    "in build": ("build", "{{context: ., args: *{}}}"),
    "in logging": ("logging", "{{driver: json-file, options: *{}}}"),
    "<< twice": ("<<", "[*{}, *{}]"),
}
USES = sorted({use for uses in FITTING.values() for use in uses})


@st.composite
def _anchors(draw: st.DrawFn) -> dict[str, Any]:
    """Anchors by name, which `x-` keys define."""
    names = draw(st.lists(st.sampled_from(sorted(ANCHORED)), min_size=1, max_size=3, unique=True))
    return {name: draw(ANCHORED[name]) for name in names}


def _with_anchors(draw: st.DrawFn, top: dict[str, Any], anchors: dict[str, Any]) -> str:
    """The text of the file, with aliases in its services."""
    heads = "".join(f"x-{name}: &{name} {to_yaml(value)}\n" for name, value in anchors.items())
    for name in anchors:
        for use in draw(st.lists(st.sampled_from(USES if _rarely(draw) else FITTING[name]), max_size=2)):
            key, form = FORMS.get(use, (use, "*{}"))
            target = top["services"][draw(st.sampled_from(["one", "two"]))]
            target[key] = Raw(form.format(name, name))
    return heads + to_file(top)


def _chain(draw: st.DrawFn, files: dict[str, str], top: dict[str, Any]) -> None:
    """`extends` through three files in folders of their own, each with relative paths."""
    last = draw(services({}, 2)) or None
    middle = draw(services({"extends": {"file": "../deep/last.yaml", "service": "base"}}, 2))
    first = draw(services({"extends": {"file": "mid/middle.yaml", "service": "base"}}, 2))
    files["deep/last.yaml"] = to_file({"services": {"base": last}})
    files["mid/middle.yaml"] = to_file({"services": {"base": middle}})
    top["services"]["one"] = first


def _include(draw: st.DrawFn, files: dict[str, str], top: dict[str, Any]) -> None:
    """`include` of a file that includes another, with an `.env` beside each, or an `env_file`."""
    entry = draw(
        st.sampled_from(
            [
                "inc/compose.yaml",
                {"path": "inc/compose.yaml", "env_file": "extra.env"},
                {"path": "inc/compose.yaml", "env_file": ["extra.env", "more.env"]},
                {"path": ["inc/compose.yaml", "inc/over.yaml"]},
                {"path": "inc/compose.yaml", "project_directory": "back/.."},
            ]
        )
    )
    top["include"] = [entry]
    files["inc/.env"] = "ALPHA=inc\nUNSET=inc\nFROM_FILE=inc\n"
    files["inc/deep/.env"] = "UNSET=deep\n"
    files["inc/compose.yaml"] = to_file(
        {"include": ["deep/compose.yaml"], "services": {"inner": draw(services({"image": "${UNSET:-y}"}, 2))}}
    )
    deepest = draw(services({"image": "${UNSET:-z}"}, 2))
    files["inc/deep/compose.yaml"] = to_file({"services": {"deepest": deepest}})
    files["inc/over.yaml"] = to_file({"services": {"inner": draw(services({}, 2))}})
    files["back/keep"] = ""


def _several(draw: st.DrawFn, files: dict[str, str], top: dict[str, Any]) -> None:
    """Three files named by COMPOSE_FILE, the second and third with keys without values."""
    files["second.yaml"] = to_file({"services": {"one": draw(_hollow()), "two": draw(_hollow())}})
    files["third.yml"] = to_file({"services": {"two": draw(services({}, 3))}, **draw(_empty_top())})
    files[".env"] += "COMPOSE_FILE=compose.yaml:second.yaml:third.yml\n"


@st.composite
def _hollow(draw: st.DrawFn) -> dict[str, Any] | None:
    return {**draw(services({}, 2)), **dict(draw(st.lists(OFTEN_EMPTY, max_size=2)))} or None


def _profiles(draw: st.DrawFn, files: dict[str, str], top: dict[str, Any]) -> None:
    """Profiles with empty names, and dependencies on what no profile turns on."""
    for service in top["services"].values():
        service["profiles"] = draw(PROFILES)
    needed = {"condition": "service_started", "required": draw(st.booleans())}
    top["services"]["one"]["depends_on"] = {"two": needed}
    active = draw(st.sampled_from(["", "COMPOSE_PROFILES=\n", "COMPOSE_PROFILES=,search\n"]))
    files[".env"] += active
