"""`Part`: reads nested mappings, knows what was given, and refuses unknown keys."""

from __future__ import annotations

import pytest

from invoke_devstack.definition.attributes.service_parts import BlkioConfig
from invoke_devstack.definition.model import Healthcheck, Service, Ulimit
from invoke_devstack.definition.output.render import render
from invoke_devstack.definition.syntax.units import Bytes, Seconds


def test_nested_mappings_become_parts() -> None:
    service = Service.read({"healthcheck": {"test": ["NONE"], "interval": "1m30s"}, "mem_limit": "64m"})
    assert service.healthcheck == Healthcheck(test=("NONE",), interval=Seconds(90))
    assert service.mem_limit == Bytes(64 * 1024**2)


def test_a_key_that_may_be_a_number_or_a_part_is_read_as_what_it_is() -> None:
    service = Service.read({"ulimits": {"core": 1, "nofile": {"soft": 2, "hard": 3}}})
    assert service.ulimits == {"core": 1, "nofile": Ulimit(soft=2, hard=3)}


def test_only_what_was_given_counts_as_given() -> None:
    network = Service.read({"networks": {"default": None, "b": {"priority": 0}}}).networks["b"]
    assert network is not None
    assert network.given == set()
    service = Service(image="x", tty=False)
    assert service.given == {"image", "tty"}
    assert service.copy_with({"user": "me"}).given == {"image", "tty", "user"}
    assert service.privileged is False and service.user is None


def test_keys_that_compose_prints_with_a_capital_are_read_without_it() -> None:
    limits = BlkioConfig.read({"weight_device": [{"path": "/dev/a", "weight": 3}]})
    assert render(limits) == {"weight_device": [{"Path": "/dev/a", "Weight": 3}]}


@pytest.mark.parametrize(
    "values",
    [{"imaje": "x"}, {"image": []}, {"volumes": [{"typ": "bind"}]}, {"tty": "maybe"}, {"ports": 80}],
)
def test_a_value_that_does_not_fit_is_refused(values: dict[str, object]) -> None:
    with pytest.raises(ValueError, match=r"unknown key|must be|invalid boolean"):
        Service.read(values)


def test_a_part_is_made_of_its_keys_alone() -> None:
    with pytest.raises(TypeError, match="imaje"):
        Service(imaje="x")  # type: ignore[call-arg]


def test_whole_numbers_are_read_where_fractions_may_stand() -> None:
    assert isinstance(Service.read({"cpus": 2}).cpus, float)
