"""Times as people write them, as the engine takes them."""

from __future__ import annotations

import time

import pytest

from invoke_devstack.errors import UsageError
from invoke_devstack.running.logs.sources import moment


@pytest.mark.parametrize(("text", "seconds"), [("10s", 10), ("5m", 300), ("1h30m", 5400), ("2d", 172800)])
def test_a_span_is_counted_back_from_now(text: str, seconds: int) -> None:
    assert float(moment(text, "since")) == pytest.approx(time.time() - seconds, abs=2)


def test_an_rfc_3339_time_keeps_its_nanoseconds() -> None:
    assert moment("2026-01-31T12:00:00.123456789Z", "since") == "1769860800.123456789"


def test_a_time_with_an_offset_is_the_same_moment() -> None:
    assert moment("2026-01-31T14:00:00+02:00", "since") == "1769860800.000000000"


def test_seconds_since_the_epoch_stay_as_they_are() -> None:
    assert moment("1769860800.5", "until") == "1769860800.5"


@pytest.mark.parametrize("text", ["yesterday", "m10", "10x", "2026-13-01"])
def test_what_is_no_time_is_refused_with_the_flag_and_examples(text: str) -> None:
    with pytest.raises(UsageError) as caught:
        moment(text, "since")
    assert f"--since `{text}`" in caught.value.message
    assert "10m" in caught.value.hint
