"""What volumes say of snapshots: which are whole, which are half, and which one is meant."""

from __future__ import annotations

from dataclasses import replace

import pytest

from invoke_devstack.errors import DevstackError, ServiceError, UsageError
from invoke_devstack.planning.observed import EngineInfo, Observed, ObservedVolume
from invoke_devstack.planning.plans.snapshots import (
    Mark,
    Snapshot,
    check_fits,
    check_name,
    complete_snapshots,
    copy_container_body,
    copy_container_mounts,
    find_snapshot,
    incomplete_snapshots,
    marks,
    volumes_of,
)
from tests.unit.planning.building import stack

ONE = Snapshot("p", "db", "one", ("data", "more"), "2026-01-02T00:00:00+00:00", 4096)
OLDER = Snapshot("p", "db", "older", ("data",), "2026-01-01T00:00:00+00:00", 1)


def test_a_snapshot_is_whole_with_its_data_and_its_mark() -> None:
    volumes = [body for item in (ONE, OLDER) for body in (item.marker_body(), item.data_body())]
    assert complete_snapshots(volumes) == (OLDER, ONE)
    assert incomplete_snapshots(volumes) == ()


def test_without_its_mark_or_its_data_it_is_half_and_not_offered() -> None:
    volumes = [ONE.data_body(), OLDER.marker_body()]
    assert complete_snapshots(volumes) == ()
    assert incomplete_snapshots(volumes) == (OLDER.marker_volume, ONE.data_volume)


def test_a_strangers_volume_is_no_snapshot() -> None:
    assert complete_snapshots([{"Name": "x", "Labels": None}]) == ()


def test_no_two_snapshots_share_a_volume() -> None:
    snapshots = [
        replace(ONE, service=service, name=name)
        for service, name in (("a", "b-c"), ("a-b", "c"), ("a.b", "c"), ("a", "complete"), ("a_b", "c"))
    ]
    names = [name for item in snapshots for name in (item.data_volume, item.marker_volume)]
    assert len(set(names)) == len(names)


@pytest.mark.parametrize("name", ["a", "2026-01", "A_b-9", "x" * 64])
def test_names_that_can_be(name: str) -> None:
    assert check_name(name) == name


@pytest.mark.parametrize("name", ["", "-a", "a.b", "a b", "../a", "ä", "x" * 65, "a/b"])
def test_names_that_cannot(name: str) -> None:
    with pytest.raises(UsageError):
        check_name(name)


def test_a_snapshot_is_found_by_name_and_where_that_is_not_enough_by_service() -> None:
    other = replace(ONE, service="cache")
    assert find_snapshot([ONE, OLDER], "one") == ONE
    assert find_snapshot([ONE, other], "one", "cache") == other
    with pytest.raises(UsageError, match="several services have a snapshot"):
        find_snapshot([ONE, other], "one")
    with pytest.raises(UsageError) as missing:
        find_snapshot([], "one", "db")
    assert "invoke snapshot db" in missing.value.hint


def test_the_volumes_of_a_service_are_its_named_ones_each_once() -> None:
    mounts = [
        {"type": "volume", "source": "data", "target": "/a"},
        {"type": "volume", "source": "data", "target": "/b"},
        {"type": "volume", "target": "/anonymous"},
        {"type": "bind", "source": "/host", "target": "/c"},
    ]
    definition = stack({"db": {"volumes": mounts}, "web": {}}, volumes={"data": {"name": "p_data"}})
    assert volumes_of(definition, definition.services["db"]) == {"data": "p_data"}
    with pytest.raises(ServiceError, match="no named volume"):
        volumes_of(definition, definition.services["web"])


def test_data_of_a_volume_that_is_no_longer_mounted_are_not_put_anywhere() -> None:
    check_fits(ONE, {"data": "p_data", "more": "p_more", "third": "p_third"})
    with pytest.raises(DevstackError, match="volume `more`"):
        check_fits(ONE, {"data": "p_data"})


def test_a_helper_says_what_it_mounts_so_that_it_can_be_settled() -> None:
    binds = {"/from": "a:ro", "/to/data": "b"}
    body = copy_container_body("image", "p", "db", "restore", "script", ["restore", "data"], binds)
    assert body["HostConfig"]["Binds"] == ["a:/from:ro", "b:/to/data:rw"]
    assert copy_container_mounts(body["Labels"]) == binds
    assert body["HostConfig"]["NetworkMode"] == "none"


def test_marks_of_the_project_and_on_its_volumes_are_found() -> None:
    def mark(project: str, volume: str) -> ObservedVolume:
        found = Mark(project, "db", "restore", {"data": volume}, {"id": {"Name": "always"}}, project)
        return ObservedVolume(found.name, labels=found.body()["Labels"])

    ours = (mark("p", "p_data"), mark("q", "shared"), mark("r", "r_data"))
    observed = Observed(
        "p", EngineInfo("28", (1, 48)), volumes={"shared": ObservedVolume("shared")}, ours=ours
    )
    assert [found.project for found in marks(observed)] == ["p", "q"]
    assert marks(observed)[0].policies == {"id": {"Name": "always"}}
