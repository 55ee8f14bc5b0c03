"""`@record` behaves as a frozen dataclass does."""

from __future__ import annotations

import copy
import pickle
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import FrozenInstanceError, asdict, field, fields, replace
from typing import ClassVar

import pytest

from invoke_devstack.records import record


@record
class Place:
    kind: ClassVar[str] = "place"
    name: str
    port: int = 80
    labels: Mapping[str, str] = field(default_factory=dict)


@record(kw_only=True)
class Base:
    target: str
    cause: str = ""


@record(kw_only=True)
class Derived(Base):
    amount: int


def test_fields_are_given_by_position_or_by_name_and_defaults_fill_the_rest() -> None:
    assert Place("a", 81) == Place(name="a", port=81)
    assert Place("a").labels == {} and Place("a").labels is not Place("b").labels


@pytest.mark.parametrize("values", [{}, {"name": "a", "nome": "b"}, {"nome": "b"}])
def test_a_missing_or_an_unknown_field_is_refused(values: dict[str, str]) -> None:
    with pytest.raises(TypeError, match="fields"):
        Place(**values)  # type: ignore[arg-type]


def test_too_many_values_and_one_given_twice_are_refused() -> None:
    with pytest.raises(TypeError):
        Place("a", 1, {}, 4)  # type: ignore[call-arg]
    with pytest.raises(TypeError):
        Place("a", name="b")  # type: ignore[misc]


def test_nothing_of_it_can_be_changed() -> None:
    place = Place("a")
    with pytest.raises(FrozenInstanceError):
        place.name = "b"  # type: ignore[misc]
    with pytest.raises(FrozenInstanceError):
        del place.name


def test_a_derived_one_has_all_fields_and_equals_only_its_own_kind() -> None:
    derived = Derived(target="x", amount=3)
    assert (derived.target, derived.cause, derived.amount) == ("x", "", 3)
    assert derived != Base(target="x") and hash(derived) == hash(Derived(target="x", amount=3))
    assert repr(derived) == "Derived(target='x', cause='', amount=3)"


def test_the_functions_of_dataclasses_work_on_it() -> None:
    place = Place("a", labels={"k": "v"})
    assert [item.name for item in fields(Place)] == ["name", "port", "labels"]
    assert replace(place, port=1) == Place("a", 1, {"k": "v"})
    assert asdict(place) == {"name": "a", "port": 80, "labels": {"k": "v"}}
    assert copy.deepcopy(place) == place and pickle.loads(pickle.dumps(place)) == place


def test_the_fields_of_a_class_are_collected_when_they_are_first_asked_for() -> None:
    @record
    class Unused:
        name: str
        labels: Mapping[str, str] = field(default_factory=dict)

    @record
    class Used(Unused):
        amount: int = 1

    assert not isinstance(vars(Unused)["__dataclass_fields__"], dict)
    assert [item.name for item in fields(Used)] == ["name", "labels", "amount"]
    assert Used("a") == Used("a", {}, 1)
    match Used("b", amount=2):
        case Used(name, _, amount):
            assert (name, amount) == ("b", 2)


def test_threads_that_ask_at_the_same_time_get_whole_classes() -> None:
    for _ in range(20):

        @record
        class Shared:
            one: str = "1"
            two: str = "2"

        with ThreadPoolExecutor(8) as pool:
            found = [pool.submit(Shared, two="3") for _ in range(8)]
        assert {item.result() for item in found} == {Shared("1", "3")}
