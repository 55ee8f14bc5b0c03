"""What of a request is stored: secrets masked, long texts cut, everything else as it was sent."""

from __future__ import annotations

import json
import time
from typing import Any

import pytest

from invoke_devstack.secrets import SecretValues
from invoke_devstack.traces.receiving import logs, points, spans
from invoke_devstack.traces.receiving.cleaning import LONGEST, Cleaner
from tests import otlp

PASSWORD = "correct-horse-7"


def known() -> SecretValues:
    secrets = SecretValues()
    secrets.add(PASSWORD, "MYSQL_PASSWORD")
    return secrets


def stored(**values: Any) -> dict[str, Any]:
    """The attributes of a span as they are stored."""
    (row,) = spans.rows(otlp.traces(otlp.span(1, **values)), known()).batch.spans
    found: dict[str, Any] = json.loads(row.rest)["a"]
    return found


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("http__request__header__authorization", "Bearer abc"),
        ("http__request__header__set_cookie", "session=abc"),
        ("app__api_key", "abc"),
        ("db__password", "abc"),
        ("password", 1234),
    ],
)
def test_an_attribute_with_the_name_of_a_secret_is_masked(name: str, value: Any) -> None:
    assert [*stored(**{name: value}).values()] == ["***"]


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        (f"mysql -p{PASSWORD} x", "mysql -p*** x"),
        ("http://user:abc123@db/x", "http://user:***@db/x"),
        ("http://h/?page=1&token=abc&x=2", "http://h/?page=1&token=***&x=2"),
        ("query: password=abc next", "query: password=*** next"),
        ("Authorization: Bearer abc.def", "Authorization: ***"),
        ('{"secret": "abc", "n": 1}', '{"secret": ***, "n": 1}'),
        (r'{"secret": "a\"bc", "n": 1}', '{"secret": ***, "n": 1}'),
        (r'"{\"secret\": \"a b\", \"n\": 1}"', r'"{\"secret\": ***, \"n\": 1}"'),
        ('was cut: password="abc def', "was cut: password=***"),
        ("SELECT 1 WHERE password  =  'it''s' AND a = 1", "SELECT 1 WHERE password  =  *** AND a = 1"),
        ("CREATE USER u IDENTIFIED BY 'abc' x", "CREATE USER u IDENTIFIED BY *** x"),
        ("IDENTIFIED WITH mysql_native_password BY 'abc'", "IDENTIFIED WITH mysql_native_password BY ***"),
        ("ALTER ROLE r WITH PASSWORD 'abc'", "ALTER ROLE r WITH PASSWORD ***"),
        ("SET PASSWORD FOR 'u'@'%' = PASSWORD('abc')", "SET PASSWORD FOR 'u'@'%' = PASSWORD(***)"),
        ("tool --password abc --name x", "tool --password *** --name x"),
        ("AUTH default abc", "AUTH ***"),
        ("CONFIG SET requirepass abc", "CONFIG SET requirepass ***"),
        ("Cookie: session=abc; other=def", "Cookie: ***"),
        ("sent Bearer abc.def-ghi here", "sent Bearer *** here"),
        ("it is eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxIn0.c2lnbmF0dXJl-_x here", "it is *** here"),
        ("AKIAIOSFODNN7EXAMPLE", "***"),
        ("x-----BEGIN RSA PRIVATE KEY-----\nabc\n-----END RSA PRIVATE KEY-----y", "x***y"),
        ("-----BEGIN PRIVATE KEY-----\nabc", "***"),
        ("https://blob/x?sv=1&sig=abc&x=2", "https://blob/x?sv=1&sig=***&x=2"),
    ],
)
def test_a_secret_within_a_text_is_masked(text: str, shown: str) -> None:
    assert stored(note=text) == {"note": shown}


@pytest.mark.parametrize(
    "text",
    [
        "SELECT * FROM users WHERE id = 1",
        "SELECT password FROM users WHERE token IS NULL",
        "cache key: user:1",
        "GET /keys/5?page=2",
        "auth.method",
        "AUTH ? ?",
        "Basic authentication is used",
        "the author: Kim; tokens: 5",
        "ls --color auto",
        "primary key (id)",
    ],
)
def test_a_text_without_a_secret_stays(text: str) -> None:
    assert stored(note=text) == {"note": text}
    assert stored(auth__method=text) == {"auth.method": text}


def test_secrets_are_masked_in_names_events_errors_and_resources_too() -> None:
    span = otlp.span(1, name=f"login {PASSWORD}", error=f"denied for {PASSWORD}")
    event = span.events.add(name=f"tried {PASSWORD}")
    event.attributes.extend(otlp.attributes({"nested": {"token": "abc", "list": [PASSWORD]}}))
    taken = spans.rows(otlp.traces(span, process__command_line=f"run {PASSWORD}"), known())
    assert PASSWORD not in repr(taken) and "abc" not in repr(taken)


def test_secrets_are_masked_in_logs() -> None:
    records = ({"text": f"user root with {PASSWORD}"}, {"text": {"password": "abc", "user": "root"}})
    texts = [row.text for row in logs.rows(otlp.logs(*records), known()).batch.logs]
    assert texts == ["user root with ***", '{"password":"***","user":"root"}']


def test_secrets_are_masked_in_the_names_of_attributes_scopes_and_levels() -> None:
    values: dict[str, Any] = {PASSWORD: "x", "nested": {PASSWORD: 1}}
    span = otlp.span(1, **values)
    message = otlp.traces(span)
    message.resource_spans[0].scope_spans[0].scope.name = PASSWORD
    assert PASSWORD not in repr(spans.rows(message, known()))
    records = otlp.logs({"text": "x"})
    records.resource_logs[0].scope_logs[0].log_records[0].severity_text = PASSWORD
    assert PASSWORD not in repr(logs.rows(records, known()))


def test_secrets_are_masked_in_metrics() -> None:
    message = otlp.counter(f"visits of {PASSWORD}", 1.0)
    metric = message.resource_metrics[0].scope_metrics[0].metrics[0]
    metric.description = metric.unit = PASSWORD
    metric.sum.data_points[0].attributes.extend(otlp.attributes({"token": "abc", "who": PASSWORD}))
    taken = points.rows(message, known())
    assert PASSWORD not in repr(taken) and "abc" not in repr(taken)


def test_a_secret_in_bytes_is_masked_although_base64_would_hide_it_from_us() -> None:
    found = stored(data=f"x{PASSWORD}".encode(), plain=b"\x00\xff")
    assert found == {"data": "***", "plain": "AP8="}


def test_what_follows_a_secret_flag_in_the_words_of_a_command_is_masked() -> None:
    found = stored(args=["tool", "--password", "abc", "--name", "x", "-p", "1"])
    assert found == {"args": ["tool", "--password", "***", "--name", "x", "-p", "1"]}


def test_scripts_are_stored_as_they_are() -> None:
    script = "<script>alert(1)</script><img src=x onerror=alert(1)>\x1b[31m\0"
    assert stored(note=script) == {"note": script}


def test_a_text_of_a_megabyte_is_cut_and_that_is_told() -> None:
    taken = spans.rows(otlp.traces(otlp.span(1, note="x" * 1_000_000, other="y")), known())
    rest = json.loads(taken.batch.spans[0].rest)
    assert len(rest["a"]["note"]) == LONGEST + 1
    assert (rest["c"], rest["a"]["other"], taken.cut, taken.rejected) == (["note"], "y", 1, 0)


def test_a_secret_at_the_cut_is_not_seen_in_part() -> None:
    found = Cleaner(known()).text("x" * (LONGEST - 5) + PASSWORD + "y" * LONGEST)
    assert PASSWORD[:5] not in found


def test_a_secret_that_masks_bring_into_sight_is_not_seen_in_part() -> None:
    """A text is cut before it is masked too, and masks are shorter than what they hide."""
    text = f"{PASSWORD} " * 1500
    found = Cleaner(known()).text(text + "x" * (2 * LONGEST - len(text) - 8) + PASSWORD + "y" * LONGEST)
    assert found.endswith("x***…")


@pytest.mark.parametrize(
    "part", ['a:"', "a='", 'password:"\\', "--password ", "key= ", "identified by ", "\\"]
)
def test_a_text_that_is_made_to_be_slow_takes_no_longer(part: str) -> None:
    """The longest text that is searched. A search that is quadratic would take minutes."""
    cleaner, text = Cleaner(known()), part * (2 * LONGEST // len(part))
    began = time.process_time()
    cleaner.text(text)
    assert time.process_time() - began < 20


def test_thousands_of_attributes_are_cut_and_that_is_told() -> None:
    many: dict[str, Any] = {f"a{number}": number for number in range(5000)}
    taken = spans.rows(otlp.traces(otlp.span(1, **many)), known())
    rest = json.loads(taken.batch.spans[0].rest)
    assert (len(rest["a"]), rest["c"], taken.cut) == (256, ["more than 256 attributes"], 1)


def test_values_that_json_lacks_are_texts() -> None:
    found = stored(nan=float("nan"), big=2**62, data=b"\x00\xff", flag=True, list=[1, "a", 0.5])
    expected = {"nan": "nan", "big": str(2**62), "data": "AP8=", "flag": True, "list": [1, "a", 0.5]}
    assert found == expected
    json.loads(json.dumps(found, allow_nan=False))


@pytest.mark.parametrize(
    ("change", "why"),
    [
        ({"trace_id": b"short"}, "the trace id is not 16 bytes other than zero"),
        ({"trace_id": bytes(16)}, "the trace id is not 16 bytes other than zero"),
        ({"span_id": b""}, "the span id is not 8 bytes other than zero"),
        ({"start_time_unix_nano": 0, "end_time_unix_nano": 0}, "there is no time"),
        ({"end_time_unix_nano": 2**64 - 1}, "a time is after the year 2262"),
    ],
)
def test_a_span_that_cannot_be_stored_is_counted_and_the_others_are_taken(
    change: dict[str, Any], why: str
) -> None:
    bad = otlp.span(1)
    for name, value in change.items():
        setattr(bad, name, value)
    taken = spans.rows(otlp.traces(bad, otlp.span(2)), known())
    assert [row.span for row in taken.batch.spans] == [(2).to_bytes(8, "big")]
    assert (taken.rejected, taken.why) == (1, f"1 × {why}")
