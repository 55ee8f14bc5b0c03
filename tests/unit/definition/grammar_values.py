"""Values that stand in many places of a definition, and how they are written as YAML."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from hypothesis import strategies as st

ENVIRONMENT = {
    "HOME": "/home/somebody",
    "PATH": "/usr/bin:/bin",
    "ALPHA": "alpha",
    "EMPTY": "",
    "NUMBER": "3",
    "YES": "yes",
    "PORT": "8080",
    "UID": "1000",
    "GID": "1000",
}
DOT_ENV = "FROM_FILE=file value\nALPHA=not this\nQUOTED='a b'\nNESTED=${ALPHA}-${FROM_FILE}\n"


class Raw(str):
    """A scalar written as it is, without quotes."""


def to_yaml(value: Any) -> str:
    """YAML in flow style."""
    match value:
        case Raw():
            return str(value)
        case Mapping():
            body = ", ".join(f"{json.dumps(key)}: {to_yaml(item)}" for key, item in value.items())
            return "{" + body + "}"
        case list():
            return "[" + ", ".join(to_yaml(item) for item in value) + "]"
    return json.dumps(value)


def to_file(value: Mapping[str, Any]) -> str:
    """A file with its top-level keys on lines of their own."""
    return "".join(f"{key}: {to_yaml(item)}\n" for key, item in value.items())


def words(text: str) -> list[str]:
    """The words of a text."""
    return text.split()


def mostly(right: list[Any], wrong: list[Any]) -> st.SearchStrategy[Any]:
    """Right values nearly always: one wrong value in a definition is enough to have it refused."""
    return st.integers(0, 255).flatmap(lambda number: st.sampled_from(wrong if number % 32 == 21 else right))


SCALARS = mostly(
    [
        *[
            "x",
            "a/b",
            "a.b",
            "1.2.3.4",
            "22:22",
            "key=value",
            "10s",
            "1h30m",
            "64m",
            "1.5gb",
            "0",
            "1",
            "-1",
            "yes",
            "no",
            "true",
            "null",
            "~",
            "0777",
            "1e3",
        ],
        "",
        "a b",
        "a, b",
        "ünï",
        '"quoted"',
        "a\tb",
        "<&>",
        "$$x",
        "${ALPHA}",
        "$ALPHA",
        "${EMPTY}",
        "${UNSET}",
        "${UNSET:-default}",
        "${EMPTY:-default}",
        "${EMPTY-default}",
        "${ALPHA:+there}",
        "${UNSET+there}",
        "${UNSET:-${ALPHA}}",
        "${UNSET:-a${NUMBER}}b}",
        "${ALPHA:?missing}x",
        "${UNSET:-{}}",
        "${FROM_FILE}",
        "${NESTED}",
        "${ALPHA:-}}",
        "${1}",
        "$1",
        "a$",
        "${ALPHA} and ${NUMBER:-x} }",
        "${UNSET-a b}",
        "${UNSET:-a:b}",
        "${UNSET:-$$ALPHA}",
        "${COMPOSE_PROJECT_NAME}",
        "${EMPTY?missing}",
    ],
    ["${UNSET:?missing}", "${}", "${ALPHA", "${ALPHA:}", "a ${-x}"],
)
RAW = st.sampled_from(
    [
        Raw(text)
        for text in [
            "0777",
            "0o17",
            "0x1F",
            "0b11",
            "1_000",
            "+12",
            "-0x1F",
            "1e3",
            ".5",
            "1.0",
            "1.50",
            "100000000.0",
            "1e21",
            "123456789012345678901234567890",
            "yes",
            "no",
            "on",
            "y",
            "n",
            "true",
            "False",
            "NULL",
            "~",
            "22:22",
            "12:30:45",
            "089",
            "0.1",
            "1e-7",
            "-3",
            "2001-12-14",
            "0",
            "00",
            "1.",
            "3.0",
            "12345678.9",
        ]
    ]
)
NUMBERS = mostly(
    [0, 1, 2, 3, 10, 80, 100, 1000, "2", "10", Raw("0x10"), Raw("1_0"), 2.0, "${NUMBER}"],
    [
        65535,
        -1,
        1.5,
        0.25,
        "0.5",
        "",
        Raw("1e3"),
        Raw("089"),
        Raw("yes"),
        Raw("1e18"),
        "x",
        None,
        True,
        Raw("2001-12-14"),
    ],
)
ODD = st.sampled_from([None, True, 3, 1.5, [], {}, [1], "text", Raw("~"), {"a": 1}])
BOOLEANS = mostly(
    [True, False, "true", "false", "yes", "off", "${YES}", Raw("yes"), Raw("n")],
    ["${UNSET}", None, "maybe", 1],
)
NAMES = st.sampled_from(["a", "b", "c", "data", "y-x", "front"])
PATHS = st.sampled_from(
    ["./a", "../b", "/abs/x/", "~/c", "~", ".", "a/./b/../c", "/", "./a b", "${ALPHA}/x", "/x//y"]
)
SIZES = mostly(
    ["64m", "1.5gb", "10", "1k", "2 MB", "1KiB", "1.5", "5tb", "1e3", ".5k", "0", "${NUMBER}g"],
    ["b", "-1", "x", "", "1 k b", 10, -1, 1.5, "1kx", None],
)
DURATIONS = mostly(
    [
        "10s",
        "1m30s",
        "1.5h",
        "500ms",
        "2us",
        "1d",
        "1w2d",
        "90s",
        "0s",
        "0",
        "-5s",
        "1h1h",
        "3ns",
        "${NUMBER}s",
    ],
    ["10", "", "1.5", "s", "1x", "1 s", 10, ".s", "-", "99999999h"],
)
TEXTS = st.lists(SCALARS, max_size=3)
SHORT_LIST = SCALARS | TEXTS
COMMAND = st.one_of(
    mostly(
        [
            "echo hi",
            "sh -c 'a b; c'",
            'a "b c" d\\ e',
            "a && b",
            "a > b",
            "a 2>b",
            "x '$$A' \"$$B\"",
            "",
            "a '' b",
            "$(a b) c",
            "`a b` c",
            'a "x\\"y" z',
            "a\\\\b",
            "  padded  ",
            "a\nb",
            "${ALPHA} $NUMBER",
            "a 'b\"c' \"d'e\"",
            "a;b",
            "x='a b'",
        ],
        ["a(b)", "open 'quote", "a\\\\", "`open", "a)"],
    ),
    TEXTS,
    st.none(),
)
KEYS = st.sampled_from(["A", "B", "C", "ALPHA", "UNSET", "com.example.key", "a b", "x.k"])
PAIRS = st.one_of(
    st.dictionaries(KEYS, SCALARS | NUMBERS | BOOLEANS | st.none(), max_size=4),
    st.lists(
        st.builds(lambda key, value: key if value is None else f"{key}={value}", KEYS, SCALARS | st.none()),
        max_size=4,
    ),
)
OPTIONS = st.dictionaries(KEYS, SCALARS | st.sampled_from([1, 1.5, Raw("1e9")]), max_size=3)
