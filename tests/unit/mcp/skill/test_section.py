"""Between its marks the text is ours; everything else in the file is a person's, to the byte."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from invoke_devstack.errors import DevstackError
from invoke_devstack.mcp.skill.section import BEGIN, END, has_section, with_section

OTHERS = st.text(st.characters(exclude_characters="<\r", exclude_categories=["Cs"]), max_size=200)


def put(before: str, section: str = "one\ntwo") -> str:
    return with_section(before, section, "AGENTS.md")


@given(OTHERS, OTHERS)
def test_what_a_person_wrote_stays_and_a_second_call_changes_nothing(before: str, after: str) -> None:
    first = put(before)
    assert first.startswith(before)
    text = first + after
    assert put(text) == text
    changed = put(text, "three")
    assert changed == text.replace("one\ntwo", "three", 1) if "one\ntwo" not in before else True
    assert changed.startswith(before)
    assert changed.endswith(after)


@pytest.mark.parametrize(
    ("before", "gap"), [("", ""), ("\ufeff", ""), ("# Ours", "\n\n"), ("# Ours\n", "\n"), ("# Ours\n\n", "")]
)
def test_an_empty_line_is_before_it_and_a_last_line_is_ended(before: str, gap: str) -> None:
    assert put(before) == f"{before}{gap}{BEGIN}\none\ntwo\n{END}\n"


def test_the_ends_of_lines_are_those_of_the_file() -> None:
    text = put("# Ours\r\n\r\ntext\r\n")
    assert text == f"# Ours\r\n\r\ntext\r\n\r\n{BEGIN}\r\none\r\ntwo\r\n{END}\r\n"
    assert put(text, "three") == text.replace("one\r\ntwo", "three")


def test_marks_that_a_person_has_moved_or_indented_are_found() -> None:
    text = f"before\n  {BEGIN}\nold\n  {END}  \nafter"
    assert put(text) == f"before\n  {BEGIN}\none\ntwo\n{END}  \nafter"


def test_an_older_mark_with_other_words_is_replaced() -> None:
    assert put("<!-- devstack: begin -->\nold\n<!-- devstack: end -->\n") == f"{BEGIN}\none\ntwo\n{END}\n"


@pytest.mark.parametrize(
    ("lines", "where"),
    [
        ([BEGIN, "text"], "line 1"),
        (["text", END], "line 2"),
        ([END, BEGIN], "lines 1, 2"),
        ([BEGIN, "a", END, BEGIN, "b", END], "lines 1, 3, 4, 6"),
        ([BEGIN, BEGIN, "a", END, END], "lines 1, 2, 4, 5"),
        ([BEGIN, "a", BEGIN, END], "lines 1, 3, 4"),
    ],
    ids=["no end", "no begin", "end first", "twice", "nested", "begun twice"],
)
def test_marks_that_do_not_fit_together_are_an_error_that_names_their_lines(
    lines: list[str], where: str
) -> None:
    text = "\n".join(lines)
    assert has_section(text)
    with pytest.raises(DevstackError, match="do not fit together") as caught:
        put(text)
    assert caught.value.message.endswith(where)
    assert caught.value.hint
