from __future__ import annotations

import pytest

from invoke_devstack.console.footer.asking import Question
from invoke_devstack.console.footer.kept import KeptLines, Word
from invoke_devstack.console.footer.keyboard import is_possible, keys_in


def answered(question: Question, *keys: str) -> str | None:
    for key in keys:
        question.take(key)
    return question.answer


@pytest.mark.parametrize(
    ("keys", "answer"),
    [
        (("enter",), "api"),
        (("w", "enter"), "web"),
        (("tab", "enter"), "db"),
        (("up", "enter"), "web"),
        (("b", "enter"), "db"),  # in the middle of a name, if none begins with it
        (("x", "backspace", "w", "enter"), "web"),
        (("w", "esc"), None),
        (("x", "enter"), None),
    ],
)
def test_a_service_is_picked_by_the_start_of_its_name(keys: tuple[str, ...], answer: str | None) -> None:
    assert answered(Question("restart", ("api", "db", "web")), *keys) == answer


def test_a_word_is_taken_as_it_is_typed() -> None:
    question = Question("search")
    assert answered(question, *"Käse 漢", "enter") == "Käse 漢"
    assert question.is_over


def test_the_question_says_what_enter_would_take() -> None:
    question = Question("restart", ("api", "db", "web"))
    assert question.text(False) == "restart: api  (Enter; Tab: db, web; Esc)"
    question.take("w")
    assert question.text(False) == "restart: web  (Enter; Esc)"
    question.take("x")
    assert question.text(False) == "restart: wx - no such service (Esc: leave)"


def test_keys_in_what_a_terminal_sends() -> None:
    typed = "r\x1b[Aé\x1bOB\x1b[15~\x7f\t\r\n\x1b\x00\x1b[200~"
    assert [*keys_in(typed)] == ["r", "up", "é", "down", "backspace", "tab", "enter", "enter", "esc"]


def test_there_is_no_footer_in_ci() -> None:
    assert not is_possible({"CI": "true"})
    assert not is_possible({"CI": "1"})


def test_lines_are_kept_up_to_a_size_and_found_through_their_colours() -> None:
    kept = KeptLines()
    for number in range(100_000):
        kept.add("web" if number % 2 else "db", b"db | \x1b[31mline\x1b[0m %06d %s\n" % (number, b"x" * 80))
    lines = [*kept.lines()]
    assert 30_000 < len(lines) < 100_000
    assert b"099999" in lines[-1]
    assert all(int(line.split()[3]) % 2 for line in kept.lines("web"))
    assert Word("line 099999").is_in(lines[-1])


def test_a_word_is_marked_wherever_it_stands_and_capitals_matter_if_it_has_any() -> None:
    marked, found = Word("err").marked(b"web | Error: an err\nweb | fine\n")
    assert marked == b"web | \x1b[7mErr\x1b[27mor: an \x1b[7merr\x1b[27m\nweb | fine\n"
    assert found == 1
    assert Word("Err").marked(b"web | an err\n") == (b"web | an err\n", 0)
