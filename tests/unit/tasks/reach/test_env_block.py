"""The block of variables in a `.env` file."""

from __future__ import annotations

import stat
import subprocess
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from invoke_devstack.definition.syntax.dotenv import parse_env, quote
from invoke_devstack.errors import DevstackError
from invoke_devstack.tasks.reach.env import BEGIN, END, write_block


def test_a_new_file_is_its_owners_alone(tmp_path: Path) -> None:
    file = tmp_path / ".env"
    assert write_block(file, {"A_URL": "redis://h:1"}) == ()
    assert file.read_text() == f"{BEGIN}\nA_URL=redis://h:1\n{END}\n"
    assert stat.S_IMODE(file.stat().st_mode) == 0o600


def test_what_is_there_stays_and_the_block_is_written_anew(tmp_path: Path) -> None:
    file = tmp_path / ".env"
    file.write_text("# mine\nexport B=own\nC: colon\n\nlast=1")
    file.chmod(0o640)
    assert write_block(file, {"A": "1", "B": "2", "C": "3"}) == ("B", "C")
    assert write_block(file, {"A": "other"}) == ()
    text = file.read_text()
    assert text.startswith("# mine\nexport B=own\nC: colon\n\nlast=1\n")
    assert text.endswith(f"{BEGIN}\nA=other\n{END}\n")
    assert text.count(BEGIN) == 1
    assert stat.S_IMODE(file.stat().st_mode) == 0o640


def test_lines_after_a_block_that_lost_its_end_are_the_users_and_stay(tmp_path: Path) -> None:
    file = tmp_path / ".env"
    for text in (
        f"X=1\n{BEGIN}\nA=1\nMINE=only-copy\n",
        f"X=1\n{BEGIN}\nA=1\nMINE=only-copy\n{BEGIN}\nA=1\n{END}\n",
    ):
        file.write_text(text)
        with pytest.raises(DevstackError, match=r"line 2 of .* that nothing ends"):
            write_block(file, {"A": "2"})
        assert file.read_text() == text


def test_line_ends_stay_what_they_are(tmp_path: Path) -> None:
    file = tmp_path / ".env"
    file.write_bytes(b"X=1\r\nY=2")
    write_block(file, {"A": "1"})
    write_block(file, {"A": "2"})
    text = file.read_bytes().decode()
    assert text == "X=1\r\nY=2\r\n" + f"{BEGIN}\nA=2\n{END}\n".replace("\n", "\r\n")


def test_a_link_leads_to_the_file_that_is_written(tmp_path: Path) -> None:
    (tmp_path / "shared").write_text("X=1\n")
    link = tmp_path / ".env"
    link.symlink_to(tmp_path / "shared")
    write_block(link, {"A": "1"})
    assert link.is_symlink()
    assert "A=1" in (tmp_path / "shared").read_text()


def test_a_folder_that_is_not_there_is_told(tmp_path: Path) -> None:
    with pytest.raises(DevstackError, match="cannot write"):
        write_block(tmp_path / "nowhere" / ".env", {"A": "1"})


@given(st.text(alphabet=st.characters(codec="utf-8", exclude_characters="\0\r\n", exclude_categories=["C"])))
def test_compose_reads_the_value_that_was_written(value: str) -> None:
    line = f"NAME={quote(value)}"
    assert parse_env(line, Path(".env"), lambda name: None) == {"NAME": value}


@pytest.mark.parametrize("value", ["plain", "a b", "it's", 'say "hi"', "p$w", "back\\slash", "#x", ""])
def test_a_shell_reads_the_same(value: str) -> None:
    script = f'NAME={quote(value)}\nprintf %s "$NAME"'
    assert subprocess.run(["sh", "-c", script], capture_output=True, text=True, check=True).stdout == value
