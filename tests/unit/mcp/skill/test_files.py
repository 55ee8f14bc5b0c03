"""Files that agents read: created, added to and updated, but never against what a person has said."""

from __future__ import annotations

from pathlib import Path

import pytest

from invoke_devstack.errors import FileError
from invoke_devstack.mcp.skill.files import FILES, planned, proposed, write
from invoke_devstack.mcp.skill.section import BEGIN, END

OURS = f"{BEGIN}\ntext\n{END}\n"


def made(folder: Path, *agents: str, section: str = "text") -> dict[str, str]:
    plans = planned(folder, agents, section)
    write(folder, plans)
    return {item.path: item.change for item in plans}


def test_each_agent_has_a_file_and_a_second_call_changes_none(tmp_path: Path) -> None:
    assert made(tmp_path, *FILES) == dict.fromkeys(FILES.values(), "create")
    assert (tmp_path / "AGENTS.md").read_text() == OURS
    skill = (tmp_path / FILES["claude"]).read_text()
    assert skill.startswith("---\nname: devstack\ndescription: ")
    assert skill.endswith(OURS)
    assert made(tmp_path, *FILES) == dict.fromkeys(FILES.values(), "none")
    assert made(tmp_path, *FILES, section="new") == dict.fromkeys(FILES.values(), "update")


@pytest.mark.parametrize("text", ["# Ours", "\ufeff# Ours\r\nmore\r\n", "", "\n\n"])
def test_what_is_there_stays_to_the_byte(tmp_path: Path, text: str) -> None:
    file = tmp_path / "AGENTS.md"
    file.write_bytes(text.encode())
    file.chmod(0o640)
    assert made(tmp_path, "agents") == {"AGENTS.md": "add"}
    assert file.read_bytes().startswith(text.encode())
    assert file.stat().st_mode & 0o777 == 0o640


def test_a_plan_alone_writes_nothing(tmp_path: Path) -> None:
    assert [item.change for item in planned(tmp_path, ["claude"], "text")] == ["create"]
    assert [*tmp_path.iterdir()] == []


def test_a_link_within_the_project_is_followed_and_stays(tmp_path: Path) -> None:
    (tmp_path / "CLAUDE.md").write_text("# Ours\n")
    (tmp_path / "AGENTS.md").symlink_to("CLAUDE.md")
    assert made(tmp_path, "agents") == {"AGENTS.md": "add"}
    assert (tmp_path / "AGENTS.md").is_symlink()
    assert (tmp_path / "CLAUDE.md").read_text() == f"# Ours\n\n{OURS}"


def test_two_names_of_one_file_are_written_once(tmp_path: Path) -> None:
    (tmp_path / ".github").mkdir()
    (tmp_path / FILES["copilot"]).symlink_to("../AGENTS.md")
    assert made(tmp_path, "agents", "copilot") == {"AGENTS.md": "create"}
    assert (tmp_path / "AGENTS.md").read_text() == OURS


@pytest.mark.parametrize("linked", ["AGENTS.md", ".claude"])
def test_a_link_out_of_the_project_is_not_followed(tmp_path: Path, linked: str) -> None:
    project, outside = tmp_path / "project", tmp_path / "outside"
    project.mkdir()
    outside.mkdir()
    (outside / "AGENTS.md").write_text("of others\n")
    (project / linked).symlink_to(outside / "AGENTS.md" if linked == "AGENTS.md" else outside)
    with pytest.raises(FileError, match="outside the project"):
        made(project, "agents", "claude")
    assert (outside / "AGENTS.md").read_text() == "of others\n"
    assert [path.name for path in outside.iterdir()] == ["AGENTS.md"]


def test_a_file_that_is_read_only_stays_even_for_root(tmp_path: Path) -> None:
    file = tmp_path / "AGENTS.md"
    file.write_text("# Ours\n")
    file.chmod(0o444)
    with pytest.raises(FileError, match="read-only") as caught:
        made(tmp_path, "claude", "agents")
    assert "chmod u+w" in caught.value.hint
    assert file.read_text() == "# Ours\n"
    assert not (tmp_path / ".claude").exists()  # nothing is written if something cannot be


@pytest.mark.parametrize("kind", ["folder", "loop", "latin-1", "file as folder"])
def test_what_is_no_text_file_is_an_error_and_stays(tmp_path: Path, kind: str) -> None:
    file = tmp_path / "AGENTS.md"
    agent = "agents"
    if kind == "folder":
        file.mkdir()
    elif kind == "loop":
        file.symlink_to("AGENTS.md")
    elif kind == "latin-1":
        file.write_bytes(b"caf\xe9\n")
    else:
        (tmp_path / ".claude").write_text("mine")
        agent = "claude"
    with pytest.raises(FileError):
        made(tmp_path, agent)
    if kind == "latin-1":
        assert file.read_bytes() == b"caf\xe9\n"


def test_agents_are_proposed_by_what_is_there(tmp_path: Path) -> None:
    assert proposed(tmp_path) == ("agents",)
    (tmp_path / ".claude").mkdir()
    assert proposed(tmp_path) == ("claude",)
    (tmp_path / "AGENTS.md").touch()
    assert proposed(tmp_path) == ("agents", "claude")
