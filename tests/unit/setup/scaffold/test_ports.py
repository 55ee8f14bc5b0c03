"""No two services of a first stack publish the same port."""

from __future__ import annotations

import re
from pathlib import Path

from invoke_devstack.setup.scaffold.catalogue import CATALOGUE, choose
from invoke_devstack.setup.scaffold.look import look_at
from invoke_devstack.setup.scaffold.ports import with_own_ports
from invoke_devstack.setup.scaffold.write import planned_files

PUBLISHED = re.compile(r"\$\{(\w+_PORT):-(\d+)\}")


def test_every_server_of_the_catalogue_has_ports_of_its_own(tmp_path: Path) -> None:
    files = planned_files(look_at(tmp_path), choose(tuple(CATALOGUE)))
    found = dict(pair for text in files.values() for pair in PUBLISHED.findall(text))
    assert len({*found.values()}) == len(found)
    assert (found["MYSQL_PORT"], found["MARIADB_PORT"]) == ("3306", "3307")
    assert "# MARIADB_PORT=3307" in files[".env.example"]


def test_the_first_keeps_its_port_and_the_next_free_one_is_nobody_elses() -> None:
    files = {"a": "${A_PORT:-80}:80 ${A_PORT:-80}", "b": "${B_PORT:-80}:80", "c": "${C_PORT:-81}:81 ${D}"}
    assert with_own_ports(files) == {
        "a": "${A_PORT:-80}:80 ${A_PORT:-80}",
        "b": "${B_PORT:-82}:80",
        "c": "${C_PORT:-81}:81 ${D}",
    }
