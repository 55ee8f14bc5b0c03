"""What says on the engine that something belongs to a copy, and how copies are named, found and timed."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from invoke_devstack.errors import UsageError
from invoke_devstack.planning.copies.copies import (
    Copy,
    check_copy_name,
    copies_among,
    expiry,
    find_copy,
    is_of,
    read_copy,
)

NOW = datetime(2026, 1, 31, 12, 0, 0, tzinfo=UTC)
COPY = Copy(
    name="fix-login",
    of="shop",
    directory="/home/me/shop",
    created_at=NOW.isoformat(),
    expires_at=expiry("2h", NOW),
    snapshot="base",
    token="a1",
)


def test_a_copy_is_read_from_the_labels_that_it_writes() -> None:
    assert read_copy(COPY.labels()) == COPY
    assert read_copy({}) is None
    assert read_copy({"dev.invoke-devstack.copy": "x"}) is None


def test_its_project_and_marks_are_named_after_the_stack_and_the_copy() -> None:
    assert COPY.project == "shop-copy-fix-login"
    assert COPY.mark == "devstack-copy-shop-copy-fix-login"
    assert COPY.filled_mark != COPY.mark


def test_what_is_left_of_a_copy_names_it_once() -> None:
    assert copies_among([COPY.labels(), {"a": "b"}, COPY.labels()]) == (COPY,)


@pytest.mark.parametrize("name", ["a", "fix-login", "0_x", "a" * 40])
def test_a_name_may_have_what_a_project_may_have(name: str) -> None:
    assert check_copy_name(name) == name


@pytest.mark.parametrize("name", ["", "A", "-a", "a.b", "a b", "../x", "a" * 41, "é", "a\n"])
def test_any_other_name_is_refused(name: str) -> None:
    with pytest.raises(UsageError, match="invalid name"):
        check_copy_name(name)


@pytest.mark.parametrize(("ttl", "seconds"), [("2h", 7200), ("1h30m", 5400), ("2d", 172800), ("0.5s", 0.5)])
def test_a_time_to_live_is_written_as_durations_in_compose_files_are(ttl: str, seconds: float) -> None:
    assert datetime.fromisoformat(expiry(ttl, NOW)) == NOW + timedelta(seconds=seconds)


@pytest.mark.parametrize("ttl", ["2", "0", "-2h", "soon", "2 h", "9999999h", "1e9s", "2h!"])
def test_a_wrong_time_to_live_is_refused(ttl: str) -> None:
    with pytest.raises(UsageError, match="invalid duration"):
        expiry(ttl, NOW)


def test_a_copy_without_a_time_to_live_never_expires() -> None:
    assert expiry("", NOW) == ""
    assert not Copy("x", "shop", "/shop", NOW.isoformat()).is_expired(NOW + timedelta(days=1000))


def test_a_time_that_cannot_be_read_ends_nothing() -> None:
    assert not Copy("x", "shop", "/shop", "yesterday", "now").is_expired(NOW)


def test_a_copy_expires_when_its_time_is_over_and_says_how_long_that_was() -> None:
    assert not COPY.is_expired(NOW + timedelta(minutes=119))
    assert COPY.is_expired(NOW + timedelta(hours=2))
    assert str(COPY.lifetime()) == "2h0m0s"


def test_a_copy_is_found_by_its_name_and_by_that_of_its_project() -> None:
    assert find_copy([COPY], "fix-login") == find_copy([COPY], "shop-copy-fix-login") == COPY


def test_a_name_that_several_copies_have_is_refused() -> None:
    other = Copy("fix-login", "other", COPY.directory, NOW.isoformat())
    with pytest.raises(UsageError, match="several copies are called `fix-login`"):
        find_copy([COPY, other], "fix-login")
    assert find_copy([COPY, other], other.project) == other


def test_an_unknown_name_gets_the_most_similar_one_or_the_way_to_a_first_one() -> None:
    with pytest.raises(UsageError, match="unknown copy `fix-logni`") as raised:
        find_copy([COPY], "fix-logni")
    assert "Did you mean `fix-login`?" in raised.value.hint
    with pytest.raises(UsageError) as raised:
        find_copy([], "x")
    assert "invoke copies.add" in raised.value.hint


def test_a_copy_belongs_to_the_stack_of_its_directory_and_of_the_name_that_a_variable_sets() -> None:
    assert is_of(COPY, "/home/me/shop")
    assert is_of(COPY, "/home/me/shop", "shop")
    assert is_of(COPY, "/home/me/shop", COPY.project)  # as hooks and their programs see it
    assert not is_of(COPY, "/home/me/shop", "other")
    assert not is_of(COPY, "/home/me/other")
