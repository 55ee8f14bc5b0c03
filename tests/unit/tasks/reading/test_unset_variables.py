"""How variables that are set nowhere are reported."""

from __future__ import annotations

from pathlib import Path

import pytest

from invoke_devstack.definition.model import Definition
from invoke_devstack.errors import DefinitionError, Position
from invoke_devstack.events import Event, Notice
from invoke_devstack.tasks.reading.unset_variables import UnsetReport

_FILE = Path("/p/compose.yaml")


def _definition(**lines: list[int]) -> Definition:
    unset = {name: tuple(Position(_FILE, line, 1) for line in places) for name, places in lines.items()}
    return Definition(name="p", working_dir=_FILE.parent, unset=unset)


def _texts(*definitions: Definition) -> list[str]:
    events: list[Event] = []
    report = UnsetReport(events.append, strict=False)
    for definition in definitions:
        report.report(definition)
    assert all(isinstance(event, Notice) and event.level == "warning" for event in events)
    return [event.text for event in events if isinstance(event, Notice)]


def test_a_variable_is_reported_with_its_file_and_line() -> None:
    assert _texts(_definition(API_KEY=[4])) == [
        "API_KEY is not set, so it is empty (compose.yaml:4). If that is intended, write ${API_KEY:-}."
    ]


def test_a_variable_in_an_env_file_may_be_a_dollar_that_is_meant() -> None:
    unset = {"A": (Position(_FILE.with_name(".env"), 2),)}
    definition = Definition(name="p", working_dir=_FILE.parent, unset=unset)
    assert _texts(definition) == [
        "A is not set, so it is empty (.env:2). If a `$` is meant, put the value in single quotes."
    ]
    with pytest.raises(DefinitionError, match="A is not set") as caught:
        UnsetReport(lambda event: None, strict=True).report(definition)
    assert caught.value.hint == "Set it. If a `$` is meant, put the value in single quotes."


def test_a_variable_in_several_places_is_reported_once() -> None:
    assert "(compose.yaml:4 and 2 more places)" in _texts(_definition(API_KEY=[4, 5, 9]))[0]


def test_many_variables_share_a_line() -> None:
    (text,) = _texts(_definition(A=[1], B=[2], C=[3], D=[4], E=[5]))
    assert text == (
        "5 variables are not set, so they are empty: A (compose.yaml:1), B (compose.yaml:2), "
        "C (compose.yaml:3), D (compose.yaml:4), E (compose.yaml:5). If that is intended, write ${A:-}."
    )


def test_a_definition_that_is_read_again_reports_only_new_variables() -> None:
    texts = _texts(_definition(A=[1]), _definition(A=[1]), _definition(A=[1], B=[2]))
    assert [text.split()[0] for text in texts] == ["A", "B"]


def test_where_it_must_be_set_an_unset_variable_is_an_error() -> None:
    with pytest.raises(DefinitionError) as caught:
        UnsetReport(lambda event: None, strict=True).report(_definition(A=[3], B=[4]))
    assert caught.value.message == "2 variables are not set"
    assert caught.value.details == ("A (compose.yaml:3)", "B (compose.yaml:4)")
    assert caught.value.position == Position(_FILE, 3, 1)
