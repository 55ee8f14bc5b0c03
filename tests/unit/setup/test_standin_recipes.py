"""Stand-ins before they are made: which image has one, from where, and with which promises."""

from __future__ import annotations

from pathlib import Path

import pytest

from invoke_devstack.setup.standins import RECIPES, find_recipe
from invoke_devstack.setup.standins.certificates import read_host_certificates, split_certificates
from invoke_devstack.setup.standins.maker import image_changes
from invoke_devstack.setup.standins.recipes import MYSQL, PYTHON, REDIS
from invoke_devstack.setup.standins.rootfs import Mirror, choose_mirror, mmdebstrap_command, read_proxies

ONE = "-----BEGIN CERTIFICATE-----\nTUlJ\n-----END CERTIFICATE-----"
TWO = "-----BEGIN CERTIFICATE-----\nQUJD\n-----END CERTIFICATE-----"


@pytest.mark.parametrize(
    "reference", ["redis:8", "redis", "redis:latest", "docker.io/library/redis:8", "library/redis:8"]
)
def test_every_spelling_of_an_image_finds_its_recipe(reference: str) -> None:
    assert find_recipe(reference) is REDIS


@pytest.mark.parametrize("reference", ["redis:7", "postgres:17", "example.org/redis:8", "python:3.12-slim"])
def test_another_image_has_no_stand_in(reference: str) -> None:
    assert find_recipe(reference) is None


def test_every_recipe_has_the_script_that_lays_it_out() -> None:
    assert all((recipe.folder / "customize.sh").is_file() for recipe in RECIPES)


def test_a_stand_in_says_in_a_label_what_it_stands_for() -> None:
    changes = image_changes(MYSQL, "mysql:9", ["MYSQL_VERSION=9.7.4"])
    assert 'LABEL dev.invoke-devstack.standin="mysql:9" dev.invoke-devstack.suite="sid"' in changes
    assert "ENV MYSQL_VERSION=9.7.4" in changes
    assert "VOLUME /var/lib/mysql" in changes


def test_the_root_file_system_comes_from_the_machines_own_mirror() -> None:
    mirror = Mirror("http://mirror.test/debian", ('Acquire::http::Proxy "http://proxy.test:3128"',))
    command = mmdebstrap_command(PYTHON, mirror, Path("/tmp/x/rootfs.tar"), [Path("/tmp/x/host-1.crt")])
    assert command[-3:] == ("trixie", "/tmp/x/rootfs.tar", "http://mirror.test/debian")
    assert '--aptopt=Acquire::http::Proxy "http://proxy.test:3128"' in command
    assert "--customize-hook=copy-in /tmp/x/host-1.crt /usr/local/share/ca-certificates" in command


def test_debian_unstable_may_be_a_snapshot_whose_release_has_expired() -> None:
    command = mmdebstrap_command(MYSQL, Mirror("http://mirror.test/debian"), Path("/tmp/x/rootfs.tar"), [])
    assert '--aptopt=Acquire::Check-Valid-Until "false"' in command
    assert not any("update-ca-certificates" in word for word in command)


def test_the_mirror_is_the_one_whose_index_says_debian() -> None:
    targets = (
        "http://packages.test/apt cloud-sdk Google\n"
        "http://mirror.test/debian-security/ bookworm-security Debian\n"
        "http://mirror.test/debian/ bookworm-updates Debian\n"
        "http://mirror.test/debian/ bookworm Debian\n"
    )
    assert choose_mirror(targets, system="debian", codename="bookworm") == "http://mirror.test/debian"


def test_before_the_first_update_the_machines_release_tells_the_mirror() -> None:
    targets = "http://packages.test/apt stable-x \nhttp://mirror.test/debian/ bookworm \n"
    assert choose_mirror(targets, system="debian", codename="bookworm") == "http://mirror.test/debian"


def test_an_ubuntu_without_debian_sources_has_no_mirror() -> None:
    targets = "http://archive.test/ubuntu/ noble Ubuntu\nhttp://archive.test/ubuntu/ noble-updates Ubuntu\n"
    assert choose_mirror(targets, system="ubuntu", codename="noble") == ""


def test_proxies_of_apt_are_passed_on() -> None:
    lines = ["Acquire::http::Proxy http://proxy.test:3128", "Acquire::https::Proxy ", ""]
    assert read_proxies(lines) == ('Acquire::http::Proxy "http://proxy.test:3128"',)


def test_certificates_of_a_bundle_are_split_whatever_is_between_them() -> None:
    assert split_certificates(f"# Mine\r\n{ONE}\nsubject=…\n{TWO}\n".replace("\n", "\r\n")) == [ONE, TWO]


def test_an_authority_that_a_variable_names_is_the_machines_own(tmp_path: Path) -> None:
    bundle = tmp_path / "bundle.crt"
    bundle.write_text(f"{ONE}\n{ONE}\n")
    assert read_host_certificates({"SSL_CERT_FILE": str(bundle)}).count(ONE) == 1
