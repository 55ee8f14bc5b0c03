"""What the footer looks like at each size."""

from __future__ import annotations

from dataclasses import replace

import pytest
from rich.cells import cell_len
from rich.text import Text

from invoke_devstack import events as e
from invoke_devstack.console.event_views import Mark
from invoke_devstack.console.footer.drawing import Look, draw
from invoke_devstack.console.footer.overview import Overview, ServiceNow
from invoke_devstack.console.style import Paint, Palette

PLAIN = Paint(colour=False, unicode=True, palette=Palette())
COLOURED = Paint(colour=True, unicode=True, palette=Palette())
SHOP = (
    ServiceNow("web", "healthy", Mark.GOOD, ("http://localhost:8080", "localhost:8081")),
    ServiceNow("mysql", "healthy", Mark.GOOD, ("localhost:3306",)),
    ServiceNow("worker", "exited 1", Mark.BAD, (), 5),
)


def shop() -> Overview:
    overview = Overview("shop", SHOP)
    overview.apply(e.Rebuilt(service="web", seconds=1.2), "12:04:31")
    return overview


def drawn(width: int, height: int, look: Look | None = None, overview: Overview | None = None) -> list[str]:
    return [line.rstrip() for line in draw(overview or shop(), look or Look(), width, height, PLAIN)]


def test_at_80_columns() -> None:
    assert drawn(80, 24) == [
        "── shop " + "─" * 71,
        "✔ web     healthy   http://localhost:8080              rebuilt 12:04:31",
        "✔ mysql   healthy   localhost:3306",
        "✘ worker  exited 1                         5 restarts",
        "d detach  o open  r restart  b rebuild  l logs  / search  q stop  ? help",
    ]


def test_at_140_columns_there_is_room_for_all() -> None:
    web = drawn(140, 40)[1]
    assert "http://localhost:8080" in web
    assert "rebuilt 12:04:31" in web
    assert "in 1.2 s" in web
    assert "localhost:8081" in web


def test_at_20_columns_there_is_a_name_and_a_state() -> None:
    assert drawn(20, 24) == [
        "── shop " + "─" * 11,
        "✔ web     healthy",
        "✔ mysql   healthy",
        "✘ worker  exited 1",
        "d o r b l / q ?",
    ]


def test_no_address_is_cut_off() -> None:
    for width in range(20, 140):
        web = drawn(width, 24)[1]
        assert ("http://" in web) == ("http://localhost:8080" in web)


@pytest.mark.parametrize("paint", [PLAIN, COLOURED])
def test_no_line_reaches_the_last_column_and_a_third_of_the_height_is_enough(paint: Paint) -> None:
    rows = tuple(replace(item, service=f"{item.service}-{number}") for number in range(9) for item in SHOP)
    overview = Overview("a-project-with-a-long-name", rows)
    looks = (
        Look(),
        Look(said="ein Wort 漢字漢字漢字漢字漢字漢字漢字漢字漢字漢字"),
        Look(only="web", word="漢字", found=3),
    )
    for look in looks:
        for width in (1, 2, 3, 5, 10, 20, 40, 80, 140):
            for height in (1, 2, 4, 6, 9, 10, 24, 60):
                lines = draw(overview, look, width, height, paint)
                assert 1 <= len(lines) <= max(1, height // 3)
                assert all(cell_len(Text.from_ansi(line).plain) <= max(width - 1, 1) for line in lines)


def test_many_services_are_folded_and_those_in_trouble_are_shown() -> None:
    rows = tuple(ServiceNow(f"s{number}", "running", Mark.GOOD) for number in range(30))
    overview = Overview("big", (*rows, ServiceNow("last", "unhealthy", Mark.BAD)))
    lines = drawn(80, 24, overview=overview)
    assert len(lines) == 8
    assert any("last" in line and "unhealthy" in line for line in lines)
    assert lines[-2] == "  and 26 more: 26 running"


def test_a_low_terminal_has_one_line_and_it_says_what_is_wrong() -> None:
    assert drawn(80, 5) == ["worker exited 1"]
    assert drawn(80, 5, overview=Overview("shop", SHOP[:2])) == ["shop: 2 healthy"]
    assert drawn(80, 5, Look(said="Wait: `restart web` has been running for 2.0 s.")) == [
        "Wait: `restart web` has been running for 2.0 s."
    ]


def test_what_is_being_done_is_shown_in_place_of_the_state() -> None:
    overview = shop()
    overview.apply(e.ActionStarted(action="build", target="shop-web", cause="", service="web"), "12:05:00")
    assert drawn(80, 24, overview=overview)[1].startswith("… web     building")
    overview.apply(e.WatchFailed(service="web", error="no"), "12:05:01")
    assert "rebuild failed 12:05:01" in drawn(100, 24, overview=overview)[1]
    assert "building" not in drawn(80, 24, overview=overview)[1]


def test_the_rule_says_whose_logs_are_shown_and_what_is_searched_for() -> None:
    rule = drawn(80, 24, Look(only="web", word="error", found=3))[0]
    assert rule.startswith("── shop ─ logs of web ─ `error` in 3 lines ")


def test_an_address_is_shown_as_it_was_told_when_the_service_became_ready() -> None:
    overview = Overview("shop", (ServiceNow("web", "healthy", Mark.GOOD, ("localhost:5000",)),))
    ready = e.ServiceReady(
        service="web", container="c", state="healthy", seconds=1.0, addresses=("http://localhost:5000",)
    )
    overview.apply(ready, "12:00:00")
    assert overview.pages() == {"web": "http://localhost:5000"}
    overview.services = (ServiceNow("web", "healthy", Mark.GOOD, ("localhost:5001",)),)
    assert overview.pages() == {}
