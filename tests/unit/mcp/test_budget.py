"""Answers stay within their limit, by an estimate that is on the high side."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from invoke_devstack.mcp.budget import LONGEST_LINE, cut, last_within, tokens, tokens_of, within

LINES = st.lists(st.text(max_size=300), max_size=40)


def test_the_estimate_is_the_larger_of_characters_and_words() -> None:
    assert tokens("a" * 35) == 10
    assert tokens("a b c d e f g h i j") == 14
    assert tokens("") == 0


@given(LINES, st.integers(50, 400))
def test_what_is_kept_costs_no_more_than_the_limit_unless_it_is_one(lines: list[str], limit: int) -> None:
    kept = within(lines, limit)
    assert lines[: len(kept)] == kept
    assert len(kept) == min(1, len(lines)) or sum(tokens_of(line) for line in kept) <= limit


@given(LINES, st.integers(50, 400))
def test_the_last_ones_are_kept_in_their_order(lines: list[str], limit: int) -> None:
    kept = last_within(lines, limit)
    assert lines[len(lines) - len(kept) :] == kept


def test_a_long_line_says_how_much_was_cut() -> None:
    assert cut("x" * LONGEST_LINE) == "x" * LONGEST_LINE
    assert cut("x" * (LONGEST_LINE + 7)).endswith("x… (cut, 7 more characters)")
