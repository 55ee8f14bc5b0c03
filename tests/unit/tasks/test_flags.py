from __future__ import annotations

import pytest

from invoke_devstack.errors import UsageError
from invoke_devstack.tasks import flags
from invoke_devstack.tasks.command_line.commands import words_in
from invoke_devstack.tasks.declare import split_names


@pytest.mark.parametrize(("text", "number"), [("", None), ("all", None), ("0", 0), ("100", 100)])
def test_counts_are_numbers_or_all(text: str, number: int | None) -> None:
    assert flags.count("tail", text, word="all") == number


def test_a_word_that_stands_for_no_number_is_that_of_its_flag_alone() -> None:
    with pytest.raises(UsageError, match="invalid number `all` for `--index`"):
        flags.numbered("web", "all")


def test_a_port_of_this_machine_is_at_most_65535() -> None:
    assert [flags.port("port", text) for text in ("", "0", "65535")] == [None, 0, 65535]
    for text in ("65536", "all", "-1"):
        with pytest.raises(UsageError, match="`--port`"):
            flags.port("port", text)


def test_words_of_a_flag_that_a_shell_could_not_read_are_wrong_use() -> None:
    assert words_in("entrypoint", "sh -c 'a b'") == ("sh", "-c", "a b")
    with pytest.raises(UsageError) as refused:
        words_in("command", "echo 'a")
    assert refused.value.hint == "A quotation mark is not closed."


@pytest.mark.parametrize("text", ["-1", "ten", "1.5", "²"])
def test_what_is_no_count_is_wrong_use(text: str) -> None:
    with pytest.raises(UsageError, match="--tail"):
        flags.count("tail", text)


@pytest.mark.parametrize(
    ("text", "number"), [("", None), ("30", 30.0), ("1.5", 1.5), ("500ms", 0.5), ("2m", 120.0), ("0", 0.0)]
)
def test_times_are_seconds_unless_a_unit_says_otherwise(text: str, number: float | None) -> None:
    assert flags.seconds("timeout", text) == number


@pytest.mark.parametrize("text", ["-1", "soon", "nan", "inf", "1d", "ms"])
def test_what_is_no_time_is_wrong_use(text: str) -> None:
    with pytest.raises(UsageError, match="--timeout"):
        flags.seconds("timeout", text)


def test_a_key_without_a_value_is_taken_from_the_environment() -> None:
    assert flags.assignments("build-arg", ["A=1", "B", "C=x=y"]) == {"A": "1", "B": None, "C": "x=y"}


def test_flags_that_exclude_one_another_are_named() -> None:
    flags.at_most_one(detach=True, attach=False)
    with pytest.raises(UsageError, match="--detach and --attach"):
        flags.at_most_one(detach=True, attach=True)


def test_names_may_be_repeated_and_take_comma_lists() -> None:
    assert split_names(["web,db", "web", " cache "]) == ("web", "db", "cache")
