"""Whatever bytes a file holds: a definition, or an error with a position, in bounded time and memory."""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from invoke_devstack.definition import load, to_config
from invoke_devstack.errors import DefinitionError, UsageError
from tests.unit.definition import grammar
from tests.unit.definition.compose import write
from tests.unit.definition.conftest import Project

pytestmark = pytest.mark.timeout(0)  # for a long run; what must be quick is measured below

VALID = (Path(__file__).parent / "corpus" / "nginx-flask-mysql" / "compose.yaml").read_bytes()
ALL_KEYS = " ".join(
    [*grammar.ATTRIBUTES, "services networks volumes secrets configs include extends name"]
).split()
TOKENS = [
    token.encode()
    for token in [*"{}[]:,-&*!|>'\"%@`?#~$\n\t ", "<<: ", "&a ", "*a", "${", "$$", "---\n", *ALL_KEYS]
]


def reads_or_says_where(content: bytes, name: str = "compose.yaml") -> None:
    with tempfile.TemporaryDirectory() as folder:
        project = Path(folder) / "proj"
        project.mkdir()
        (project / "compose.yaml").write_text("services: {web: {image: x, env_file: [{path: f.env}]}}")
        (project / name).write_bytes(content)
        try:
            definition = load(project, environment=grammar.ENVIRONMENT)
        except DefinitionError as error:
            assert_says_where(error, project)
        except UsageError as error:
            assert "invalid project name" in error.message
        else:
            assert to_config(definition, show_secrets=True)["name"]


def assert_says_where(error: DefinitionError, project: Path) -> None:
    """Several problems that are told together have their positions in their lines."""
    if error.position is None:
        assert error.details, error.message
        assert [line for line in error.details if not line.startswith(f"{project}/")] == []


CASES = int(os.environ.get("DEVSTACK_FUZZ_CASES", "300"))
FUZZ = settings(max_examples=CASES, deadline=None, database=None, suppress_health_check=list(HealthCheck))


@FUZZ
@given(st.binary(max_size=200))
@example(b"")
@example(b"\x00")
@example(b"\xef\xbb\xbfservices: {}")
@example(b"%YAML 1.1\n---\nservices: {}")
@example(b"services: {web: {image: x, ports: [!!binary aGk=]}}")
@example(b"name: .nan")
@example(b"services: !reset {}")
@example(b"!override services: {}")
@example(b"services: {web: {image: x, cpus: .inf}}")
@example(b"services: &a {web: {image: x, x-a: *a}}")
@example(b"services: {web: {image: x, environment: {<<: [1]}}}")
@example(b"include: {a: b}")
@example(b"include: [{path: {}}]")
@example(b"services: [1]\ninclude: [compose.yaml]")
@example(b"services: {a: {extends: {service: [1]}}}")
@example(b"services: {a: {extends: 1}}")
@example(b"services: {a: null}")
@example(b"volumes: []")
@example(b"configs: {a: 1}")
@example(b"? [a]\n: b")
@example(b"services: {web: {image: x, volumes: [{type: bind, target: 1}]}}")
@example(b"services: {web: {image: x, volumes: [{type: volume}]}}")
@example(b"services: {web: {image: x, expose: [.nan]}}")
@example(b"services: {web: {image: x, labels: {a: 2001-12-14}}}")
def test_any_bytes_are_read_or_refused_with_a_position(content: bytes) -> None:
    reads_or_says_where(content)


@FUZZ
@given(
    st.lists(
        st.tuples(
            st.integers(0, len(VALID)),
            st.integers(0, 12),
            st.sampled_from(TOKENS) | st.binary(max_size=3),
        ),
        min_size=1,
        max_size=5,
    )
)
def test_a_damaged_file_is_read_or_refused_with_a_position(changes: list[tuple[int, int, bytes]]) -> None:
    content = VALID
    for place, removed, added in changes:
        content = content[:place] + added + content[place + removed :]
    reads_or_says_where(content)


@FUZZ
@given(st.lists(st.sampled_from(TOKENS), max_size=40).map(b"".join))
def test_words_of_the_specification_in_any_order_are_read_or_refused(content: bytes) -> None:
    reads_or_says_where(content)


@FUZZ
@given(grammar.definitions())
def test_made_up_definitions_are_read_or_refused_with_a_position(files: dict[str, str]) -> None:
    with tempfile.TemporaryDirectory() as folder:
        project = Path(folder) / "proj"
        write(files, project)
        try:
            load(project, environment=grammar.ENVIRONMENT)
        except DefinitionError as error:
            assert_says_where(error, project)


@FUZZ
@given(st.binary(max_size=100) | st.text("AB=: \n'\"$\\{}#export-", max_size=60).map(str.encode))
def test_any_env_file_is_read_or_refused_with_a_position(content: bytes) -> None:
    reads_or_says_where(content, ".env")
    reads_or_says_where(content, "f.env")


def _bomb() -> str:
    lines = ["x-0: &a0 {k: v}"]
    lines += [f"x-{n}: &a{n} [{', '.join([f'*a{n - 1}'] * 9)}]" for n in range(1, 12)]
    return "\n".join(lines) + "\nservices: {web: {image: x}}\n"


BIG = {
    "alias bomb": _bomb(),
    "one long text": "services: {web: {image: x, labels: {a: '" + "x" * 2**20 + "'}}}",
    "one long text of variables": "services: {web: {image: x, labels: {a: '" + "${A:-b}" * 150_000 + "'}}}",
    "one long command": "services: {web: {image: x, command: '" + "a b " * 250_000 + "'}}",
    "one long quoted command": "services: {web: {image: x, command: \"'" + "ab" * 500_000 + "'\"}}",
    "one long duration": "services: {web: {image: x, stop_grace_period: '" + "1" * 1_000_000 + "s'}}",
    "one long number": "services: {web: {image: x, cpus: " + "1" * 1_000_000 + "}}",
    "one long port": "services: {web: {image: x, ports: ['" + "1" * 1_000_000 + "']}}",
    "all ports": "services: {web: {image: x, ports: ['1-65535:1-65535']}}",
    "braces": "services: {web: {image: x, labels: {a: '" + "${A:-" * 100_000 + "'}}}",
    "nested defaults": "services: {web: {image: x, labels: {a: '" + "${A:-" * 2000 + "}" * 2000 + "'}}}",
    "deep lists": "x-a: " + "[" * 500_000,
    "ten thousand services": "services:\n"
    + "".join(
        f"  s{n}: {{image: 'x:{n}', ports: ['{n}:80'], environment: {{A: '${{B}}'}}, volumes: ['./d:/d']}}\n"
        for n in range(10_000)
    ),
}
MEASURE = """
import sys, time
from pathlib import Path
from invoke_devstack.definition import load
from invoke_devstack.errors import DefinitionError
began = time.monotonic()
try:
    load(Path(sys.argv[1]))
    outcome = "read"
except DefinitionError as error:
    outcome = "refused" if error.position is not None else "no position"
status = Path("/proc/self/status").read_text()
print(outcome, time.monotonic() - began, int(status.partition("VmHWM:")[2].split()[0]) // 1024)
"""
"""Not `ru_maxrss`: a process inherits that of the one that started it."""


@pytest.mark.parametrize("name", sorted(BIG))
def test_a_huge_file_stays_within_bounds_of_time_and_memory(name: str, tmp_path: Path) -> None:
    (tmp_path / "compose.yaml").write_text(f"name: big\n{BIG[name]}")
    result = subprocess.run(
        [sys.executable, "-c", MEASURE, str(tmp_path)], capture_output=True, text=True, timeout=120
    )
    assert result.returncode == 0, result.stderr[-2000:]
    outcome, seconds, megabytes = result.stdout.split()

    assert outcome in ("read", "refused")
    assert float(seconds) < 60
    assert int(megabytes) < 256


def test_a_definition_of_a_hundred_services_is_read_at_once(project: Project) -> None:
    services = "".join(
        f"""  s{number}:
    image: x:{number}
    environment: {{A: 1, B: "${{HOME}}", C: c}}
    ports: ["{8000 + number}:80", "99"]
    volumes: [data:/data, ./x:/y:ro]
    depends_on: {{last: {{condition: service_started}}}}
    healthcheck: {{test: [CMD, "true"], interval: 5s}}
    labels: [a=b, c=d]
"""
        for number in range(100)
    )
    project.load(f"services:\n{services}  last: {{image: x}}\nvolumes: {{data: }}\n")

    began = time.thread_time()  # what others do on the machine does not count
    definition = project.load()

    assert len(definition.services) == 101
    assert time.thread_time() - began < 1
