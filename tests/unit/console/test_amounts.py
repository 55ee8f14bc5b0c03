from datetime import UTC, datetime

import pytest

from invoke_devstack.console.amounts import age, duration, size


@pytest.mark.parametrize(
    ("seconds", "text"), [(0.041, "41 ms"), (1.24, "1.2 s"), (61.0, "61.0 s"), (125.0, "2 min 05 s")]
)
def test_durations_are_short(seconds: float, text: str) -> None:
    assert duration(seconds) == text


@pytest.mark.parametrize(("count", "text"), [(0, "0 B"), (1500, "1.5 kB"), (34_000_000, "34 MB")])
def test_sizes_are_in_decimal_units(count: int, text: str) -> None:
    assert size(count) == text


def test_ages_count_in_the_largest_unit() -> None:
    now = datetime(2026, 1, 1, 12, tzinfo=UTC)
    assert age("2026-01-01T11:57:00.123456789Z", now) == "2 minutes ago"
    assert age("2026-01-01T11:59:59Z", now) == "1 s ago"
    assert age("2026-01-01T12:00:01Z", now) == "0 s ago"  # the clocks of two machines differ a little
    assert age("2026-01-01T14:00:30Z", now) == "in 2 hours"
    assert age("2026-01-01T12:00:40Z", now) == "in 40 s"
    assert age("never", now) == "never"
