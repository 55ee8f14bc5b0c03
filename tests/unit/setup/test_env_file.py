"""`.env` made and completed from `.env.example`."""

from __future__ import annotations

import os
import stat
from pathlib import Path

import pytest

from invoke_devstack.definition.syntax.dotenv import quote
from invoke_devstack.errors import FileError
from invoke_devstack.events import Event, Notice
from invoke_devstack.setup.env_file import optional_names, read_example, variable_names, write_env_file
from invoke_devstack.setup.reporting import Questions
from tests.unit.local_files.disk import fill, only_root, small_disk

EXAMPLE = """# Ports.
WEB_PORT=8080

# The key that signs sessions.
SECRET_KEY=  # generate 40
# generate
TOKEN=
# Where mail goes.
MAIL_HOST=
NAME='two words'
# DEBUG=1
"""


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / ".env.example").write_text(EXAMPLE)
    return tmp_path


def write(folder: Path, questions: Questions | None = None) -> tuple[tuple[str, ...], list[Event]]:
    told: list[Event] = []
    return write_env_file(folder, told.append, questions or Questions()), told


def values(folder: Path) -> dict[str, str]:
    return {entry.name: entry.value for entry in read_example((folder / ".env").read_text())}


def test_a_new_file_has_the_examples_defaults_and_comments(folder: Path) -> None:
    added, _ = write(folder)
    assert added == ("WEB_PORT", "SECRET_KEY", "TOKEN", "MAIL_HOST", "NAME")
    assert values(folder)["WEB_PORT"] == "8080"
    assert values(folder)["NAME"] == "'two words'"
    assert "# Ports." in (folder / ".env").read_text()


def test_what_is_marked_is_generated_as_long_as_asked(folder: Path) -> None:
    write(folder)
    assert len(values(folder)["SECRET_KEY"]) == 40
    assert len(values(folder)["TOKEN"]) == 32


def test_two_machines_get_two_secrets(folder: Path) -> None:
    write(folder)
    first = values(folder)["SECRET_KEY"]
    (folder / ".env").unlink()
    write(folder)
    assert values(folder)["SECRET_KEY"] != first


def test_only_its_owner_may_read_it(folder: Path) -> None:
    write(folder)
    assert stat.S_IMODE((folder / ".env").stat().st_mode) == 0o600


def test_what_has_no_default_is_asked_for_with_its_comment(folder: Path) -> None:
    asked: list[str] = []

    def ask(question: str) -> str:
        asked.append(question)
        return "mail.test"

    write(folder, Questions(ask))
    assert asked == ["MAIL_HOST (Where mail goes.):"]
    assert values(folder)["MAIL_HOST"] == "mail.test"


def test_with_nobody_to_ask_what_is_empty_is_named(folder: Path) -> None:
    _, told = write(folder)
    warnings = [event.text for event in told if isinstance(event, Notice) and event.level == "warning"]
    assert warnings == [".env has no value for MAIL_HOST: fill it in."]


def test_what_is_there_stays_and_only_what_lacks_is_added(folder: Path) -> None:
    mine = "# mine\nWEB_PORT=9000\nOTHER=1\nSECRET_KEY=s\nTOKEN=t\nNAME=n"
    (folder / ".env").write_text(mine)
    added, _ = write(folder)
    assert added == ("MAIL_HOST",)
    text = (folder / ".env").read_text()
    assert text.startswith(mine + "\n")
    assert text.endswith("# Where mail goes.\nMAIL_HOST=\n")


def test_line_ends_stay_what_they_are(folder: Path) -> None:
    (folder / ".env").write_bytes(b"OWN=1\r\nLAST=2")
    write(folder)
    content = (folder / ".env").read_bytes()
    assert content.startswith(b"OWN=1\r\nLAST=2\r\n")
    assert content.count(b"\n") == content.count(b"\r\n")


def test_a_complete_file_is_not_touched(folder: Path) -> None:
    write(folder)
    before = (folder / ".env").read_bytes()
    assert write(folder) == ((), [])
    assert (folder / ".env").read_bytes() == before


def test_without_an_example_nothing_is_made(tmp_path: Path) -> None:
    assert write(tmp_path) == ((), [])
    assert not (tmp_path / ".env").exists()


def test_names_with_export_and_colon_are_seen() -> None:
    assert variable_names("export A=1\nB: 2\nC\n# D=4\n") == {"A", "B", "C"}


def test_a_variable_in_a_comment_is_known_and_not_needed() -> None:
    assert optional_names(EXAMPLE) == {"DEBUG"}


@pytest.mark.parametrize("value", ["plain", "two words", "it's", 'a"b$c', "#x", "back\\slash"])
def test_a_quoted_value_is_read_back_as_it_was(value: str, tmp_path: Path) -> None:
    from invoke_devstack.definition.syntax.dotenv import read_env_file

    file = tmp_path / ".env"
    file.write_text(f"A={quote(value)}\n")
    assert read_env_file(file, lambda name: None) == {"A": value}


def test_a_second_run_keeps_every_byte_that_was_there(folder: Path) -> None:
    before = b"# mine\r\nWEB_PORT=1\r\n\r\nNAME='x'\r\n"
    (folder / ".env").write_bytes(before)
    write(folder)
    assert (folder / ".env").read_bytes().startswith(before)


def test_a_link_stays_a_link(folder: Path, tmp_path_factory: pytest.TempPathFactory) -> None:
    shared = tmp_path_factory.mktemp("shared") / "env"
    shared.write_text("WEB_PORT=1\n")
    (folder / ".env").symlink_to(shared)
    write(folder)
    assert (folder / ".env").is_symlink()
    assert "SECRET_KEY=" in shared.read_text()


def test_a_pipe_without_a_writer_ends_and_stays(folder: Path) -> None:
    os.mkfifo(folder / ".env")
    with pytest.raises(FileError, match="no program writes to it"):
        write(folder)
    assert (folder / ".env").is_fifo()


@only_root
def test_a_full_disk_leaves_what_was_there(tmp_path: Path) -> None:
    with small_disk(tmp_path / "disk") as disk:
        (disk / ".env.example").write_text("A=1\nB=2\n")
        old = "A=1\n" + "# the only copy\n" * 250
        (disk / ".env").write_text(old)
        fill(disk)
        with pytest.raises(FileError, match="no space left"):
            write(disk)
        assert (disk / ".env").read_text() == old
