"""`Part`: reads nested mappings, knows what was given, and refuses what its annotations do not allow."""

from __future__ import annotations

import pytest

from invoke_devstack.definition.model import Healthcheck, Service
from invoke_devstack.definition.parts import BlkioConfig, Ulimit
from invoke_devstack.definition.units import Bytes, Seconds


def test_nested_mappings_become_parts() -> None:
    service = Service.read({"healthcheck": {"test": ["NONE"], "interval": "1m30s"}, "mem_limit": "64m"})
    assert service.healthcheck == Healthcheck(test=("NONE",), interval=Seconds(90))
    assert service.mem_limit == Bytes(64 * 1024**2)


def test_a_key_that_may_be_a_number_or_a_part_is_read_as_what_it_is() -> None:
    service = Service.read({"ulimits": {"core": 1, "nofile": {"soft": 2, "hard": 3}}})
    assert service.ulimits == {"core": 1, "nofile": Ulimit(soft=2, hard=3)}


def test_only_what_was_given_counts_as_given() -> None:
    service = Service.read({"image": "x", "tty": False, "networks": {"default": None}})
    assert service.given == {"image", "tty", "networks"}
    assert service.as_data() == {"image": "x", "tty": False, "networks": {"default": None}}
    assert service.copy_with({"user": "me"}).given == {"image", "tty", "networks", "user"}
    assert service.privileged is False and service.user is None


def test_keys_are_found_as_they_are_written_in_the_files_too() -> None:
    written = BlkioConfig.read({"weight_device": [{"Path": "/dev/a", "Weight": 3}]})
    assert written == BlkioConfig.read({"weight_device": [{"path": "/dev/a", "weight": 3}]})


@pytest.mark.parametrize(
    "values",
    [{"imaje": "x"}, {"image": 3}, {"volumes": [{"type": "nothing"}]}, {"volumes": [{}]}, {"tty": "yes"}],
)
def test_a_mistake_of_the_reader_is_refused(values: dict[str, object]) -> None:
    with pytest.raises(TypeError):
        Service.read(values)


def test_whole_numbers_are_read_where_fractions_may_stand() -> None:
    assert isinstance(Service.read({"cpus": 2}).cpus, float)
