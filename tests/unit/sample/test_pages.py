from __future__ import annotations

import time
from datetime import UTC, datetime, timedelta

import pytest
from app.notes import LONGEST
from app.pages import how_long_ago, tidy, what_is_wrong_with
from flask import Flask

NOW = datetime(2026, 5, 4, 12, 0, tzinfo=UTC)


def test_the_page_is_readable_while_both_databases_are_away(app_without_databases: Flask) -> None:
    answer = app_without_databases.test_client().get("/")
    assert answer.status_code == 200
    assert "Both databases are away" in answer.text
    assert answer.text.count("It refuses connections") == 2
    assert "Traceback" not in answer.text


def test_health_names_each_part_that_is_away(app_without_databases: Flask) -> None:
    answer = app_without_databases.test_client().get("/healthz")
    assert answer.status_code == 503
    assert answer.json is not None
    assert answer.json["status"] == "unavailable"
    assert answer.json["redis"].startswith("away: it refuses connections")
    assert answer.json["mysql"].startswith("away: it refuses connections")


def test_the_page_does_not_hang_on_databases_that_never_answer(app_with_silent_databases: Flask) -> None:
    began = time.monotonic()
    answer = app_with_silent_databases.test_client().get("/")
    assert time.monotonic() - began < 20
    assert answer.status_code == 200
    assert answer.text.count("did not answer in time") == 2


def test_a_note_that_cannot_be_saved_stays_in_the_form(app_without_databases: Flask) -> None:
    answer = app_without_databases.test_client().post("/notes", data={"text": "do not lose me"})
    assert answer.status_code == 503
    assert "The note was not saved" in answer.text
    assert ">do not lose me</textarea>" in answer.text


def test_markup_in_a_note_stays_text(app_without_databases: Flask) -> None:
    answer = app_without_databases.test_client().post("/notes", data={"text": "</textarea><script>x"})
    assert "<script>" not in answer.text
    assert "&lt;script&gt;" in answer.text


@pytest.mark.parametrize("text", ["", "  \r\n ", "가" * (LONGEST + 1)])
def test_an_empty_or_too_long_note_is_refused_with_a_reason(app_without_databases: Flask, text: str) -> None:
    answer = app_without_databases.test_client().post("/notes", data={"text": text})
    reason = what_is_wrong_with(tidy(text))
    assert answer.status_code == 400
    assert reason is not None
    assert reason in answer.text


def test_a_note_of_the_full_length_is_taken() -> None:
    assert what_is_wrong_with("🌱" * LONGEST) is None


def test_a_form_larger_than_any_note_is_refused_readably(app_without_databases: Flask) -> None:
    answer = app_without_databases.test_client().post("/notes", data={"text": "x" * 100_000})
    assert answer.status_code == 413
    assert "Back to the page" in answer.text


@pytest.mark.parametrize(
    "headers",
    [{"Origin": "http://elsewhere.example"}, {"Origin": "null"}, {"Sec-Fetch-Site": "cross-site"}],
)
def test_a_form_of_another_site_is_refused(app_without_databases: Flask, headers: dict[str, str]) -> None:
    answer = app_without_databases.test_client().post("/notes", data={"text": "x"}, headers=headers)
    assert answer.status_code == 403
    assert "another site" in answer.text


def test_a_form_of_the_page_itself_is_taken_to_the_database(app_without_databases: Flask) -> None:
    headers = {"Origin": "http://localhost", "Sec-Fetch-Site": "same-origin"}
    answer = app_without_databases.test_client().post("/notes/7/delete", headers=headers)
    assert answer.status_code == 503
    assert "The note was not deleted" in answer.text


def test_an_unknown_address_gets_a_page_that_leads_back(app_without_databases: Flask) -> None:
    answer = app_without_databases.test_client().get("/nothing-here")
    assert answer.status_code == 404
    assert "Back to the page" in answer.text


def test_no_script_may_run_on_any_page(app_without_databases: Flask) -> None:
    for path in ("/", "/healthz", "/nothing-here"):
        policy = app_without_databases.test_client().get(path).headers["Content-Security-Policy"]
        assert "default-src 'none'" in policy
        assert "script-src" not in policy


def test_line_ends_of_a_browser_become_one_character() -> None:
    assert tidy(" first\r\nsecond \r\n") == "first\nsecond"


@pytest.mark.parametrize(
    ("age", "words"),
    [
        (timedelta(seconds=-3), "just now"),
        (timedelta(seconds=59), "just now"),
        (timedelta(seconds=60), "1 minute ago"),
        (timedelta(minutes=59), "59 minutes ago"),
        (timedelta(hours=1), "1 hour ago"),
        (timedelta(hours=47), "1 day ago"),
        (timedelta(days=6), "6 days ago"),
        (timedelta(days=7), "27 April 2026"),
    ],
)
def test_the_age_of_a_note_is_told_in_words(age: timedelta, words: str) -> None:
    assert how_long_ago(NOW - age, NOW) == words
