"""What system a machine says that it is."""

from __future__ import annotations

import pytest

from invoke_devstack.setup.machine import identify_system, parse_os_release

DEBIAN = """PRETTY_NAME="Debian GNU/Linux 12 (bookworm)"
NAME="Debian GNU/Linux"
VERSION_ID="12"
VERSION_CODENAME=bookworm
ID=debian
"""
MINT = "NAME='Linux Mint'\nID=linuxmint\nID_LIKE=\"ubuntu debian\"\nVERSION_CODENAME=wilma\n"
FEDORA = '# written by hand\nNAME="Fedora Linux"\nID=fedora\nPRETTY_NAME="Fedora Linux 42"\n'


def test_debian_is_known_by_name_and_release() -> None:
    system = parse_os_release(DEBIAN)
    assert (system.id, system.codename, system.name) == (
        "debian",
        "bookworm",
        "Debian GNU/Linux 12 (bookworm)",
    )
    assert system.uses_apt


def test_what_is_like_ubuntu_uses_apt() -> None:
    system = parse_os_release(MINT)
    assert system.uses_apt
    assert system.name == "Linux Mint"


def test_fedora_does_not_use_apt() -> None:
    assert not parse_os_release(FEDORA).uses_apt


@pytest.mark.parametrize(("platform", "expected"), [("darwin", "macos"), ("win32", "windows")])
def test_other_systems_are_known_without_os_release(platform: str, expected: str) -> None:
    system = identify_system(platform, None)
    assert system.id == expected
    assert not system.uses_apt


def test_a_linux_without_os_release_is_unknown() -> None:
    assert identify_system("linux", None).id == ""
