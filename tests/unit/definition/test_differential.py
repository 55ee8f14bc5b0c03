"""The real Docker Compose and ours read the same made-up definitions: they agree, or both refuse.

300 cases; DEVSTACK_DIFFERENTIAL_CASES=10000 for a long run, which is random where the short one is not.
What such runs found is in docs/reference/definitions.md.
"""

from __future__ import annotations

import os
import tempfile
from pathlib import Path

import pytest
from hypothesis import HealthCheck, assume, given, settings
from hypothesis import strategies as st

from tests.unit.definition import grammar
from tests.unit.definition.compose import ask_compose, ask_ours, compose_command, write
from tests.unit.definition.grammar_projects import projects

CASES = int(os.environ.get("DEVSTACK_DIFFERENTIAL_CASES", "300"))

pytestmark = [
    pytest.mark.skipif(
        compose_command() is None, reason="Docker Compose is not installed: nothing to compare with"
    ),
    pytest.mark.timeout(0),
]


def compared(cases: int) -> settings:
    return settings(
        max_examples=cases,
        derandomize=CASES <= 300,
        deadline=None,
        database=None,
        suppress_health_check=list(HealthCheck),
    )


def agree_or_both_refuse(files: dict[str, str], *, hashes: bool = True, typed_in: str = "") -> None:
    with tempfile.TemporaryDirectory() as folder:
        project = Path(folder) / "proj"
        write(files, project)
        place = project / typed_in
        config, own_hashes, error = ask_ours(place, grammar.ENVIRONMENT)
        their_config, their_hashes, their_error = ask_compose(place, grammar.ENVIRONMENT, hashes=hashes)
    assume("panic: " not in their_error)  # Compose crashed: there is no answer to compare with

    assert config == their_config, error or their_error
    if hashes:
        assert own_hashes == their_hashes


@compared(CASES * 4 // 10)
@given(projects())
def test_compose_and_ours_agree_on_what_real_projects_have(found: tuple[dict[str, str], str]) -> None:
    files, folder = found
    agree_or_both_refuse(files, typed_in=folder)


@compared(CASES * 4 // 10)
@given(grammar.definitions())
def test_compose_and_ours_agree_on_whole_definitions(files: dict[str, str]) -> None:
    agree_or_both_refuse(files)


def texts(*tokens: str, most: int = 8) -> st.SearchStrategy[str]:
    """Texts put together from what means something in them."""
    return st.lists(st.sampled_from(tokens), max_size=most).map("".join)


TEMPLATES = texts(
    *(
        "$",
        "{",
        "}",
        "}",
        "ALPHA",
        ":-",
        "-",
        ":?",
        "+",
        "$$",
        "${",
        "${ALPHA",
        "${UNSET",
        "${EMPTY",
        "x",
        " ",
        "1",
    )
)
COMMANDS = texts(
    *("a", "b", " ", '"', "'", "\\", "$$", "$$(", "(", ")", "`", ";", "&", "|", ">", "2", "\n", "é")
)
MOUNTS = texts(
    *("a", ":", "/", "./", "../", "~", "ro", ",", "z", "c", "\\", "data", "/x", ":/y", "nocopy", "rshared")
)
PORTS = texts("80", "8080", "-", ":", "/", "udp", "127.0.0.1:", "[::1]:", "0", "1-3", "5-7", ":", most=5)
SCALARS = texts(*"01789_.-+eExXobBf:~", "true", "no", ".inf", "null", "2001-12-14", most=5)
ENV_FILES = texts(
    *(
        "A",
        "B",
        "=",
        ":",
        " ",
        "\n",
        "\n",
        "A=",
        "B=",
        "#",
        " #",
        '"',
        "'",
        "\\",
        "$",
        "${A}",
        "$B",
        "export ",
    ),
    *(
        "x",
        "y z",
        "\\n",
        "\\$",
        "$$",
        ".",
        "é",
        "\r\n",
        "[",
        '\\"',
        "${ALPHA}",
        "\\'",
        "ALPHA\n",
        "${UNSET:-x}",
    ),
)


@compared(CASES // 20)
@given(TEMPLATES)
def test_compose_and_ours_agree_on_templates(text: str) -> None:
    agree_or_both_refuse(_with({"labels": {"a": text}}), hashes=False)


@compared(CASES // 20)
@given(COMMANDS)
def test_compose_and_ours_agree_on_commands(text: str) -> None:
    agree_or_both_refuse(_with({"command": text}), hashes=False)


@compared(CASES // 20)
@given(MOUNTS)
def test_compose_and_ours_agree_on_mounts(text: str) -> None:
    agree_or_both_refuse(_with({"volumes": [text]}), hashes=False)


@compared(CASES // 20)
@given(PORTS)
def test_compose_and_ours_agree_on_ports(text: str) -> None:
    assume(
        all(part.count("-") < 2 for part in text.split(":"))
    )  # an exception, see docs/reference/definitions.md
    agree_or_both_refuse(_with({"ports": [text]}), hashes=False)


@compared(CASES // 20)
@given(ENV_FILES, ENV_FILES)
def test_compose_and_ours_agree_on_env_files(first: str, second: str) -> None:
    files = _with({"labels": {"a": "$A", "b": "$B"}, "env_file": "f.env"})
    agree_or_both_refuse({**files, ".env": f"{first}\n", "f.env": f"{second}\n"}, hashes=False)


@compared(CASES // 20)
@given(st.lists(SCALARS.filter(lambda text: text not in (".inf", "-.inf", "+.inf")), max_size=20))
def test_compose_and_ours_agree_on_scalars(scalars: list[str]) -> None:
    lines = [f"  k{number}: {scalar}" for number, scalar in enumerate(scalars)]
    agree_or_both_refuse(
        {"compose.yaml": "\n".join([_with({})["compose.yaml"], "x-a:", *lines, ""])}, hashes=False
    )


def _with(attributes: dict[str, object]) -> dict[str, str]:
    top = {"services": {"web": {"image": "x", **attributes}}, "volumes": {"data": None, "a": None}}
    return {"compose.yaml": grammar.to_file(top)}
