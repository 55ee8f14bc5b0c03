"""`agents.init` as a person types it: asked on a terminal, planned, and written again."""

from __future__ import annotations

from collections.abc import Callable

from tests.functional.conftest import Project

STACK = """
services:
  db: {image: IMAGE}
  web: {image: IMAGE, ports: ["8080:80"], depends_on: [db]}
"""


def test_it_is_asked_planned_written_and_updated(new_project: Callable[..., Project]) -> None:
    project = new_project(STACK)
    page = project.directory / "AGENTS.md"

    unasked = project.invoke("agents.init")
    assert unasked.code == 2
    assert "`invoke agents.init --for agents`" in unasked.err
    assert project.invoke("agents.init", "--for", "agnts").err.count("Did you mean `agents`?") == 1

    planned = project.invoke("agents.init", "--for", "agents,claude", "--dry-run", "--json").json()
    assert [item["change"] for item in planned["files"]] == ["create", "create"]
    assert not planned["written"]
    assert not page.exists()

    with project.terminal("agents.init") as terminal:
        terminal.expect_exact("For which agents?")
        terminal.sendline("agents")
        assert terminal.end() == 0
    assert "- `web`: localhost:8080; after db" in page.read_text()

    page.write_text(f"# Ours\n\n{page.read_text()}\nmore of ours\n")
    project.compose(STACK.replace("8080", "8090"))
    written = project.invoke("agents.init", "--for", "agents", "--json").json()
    assert written["files"] == [{"path": "AGENTS.md", "change": "update"}]
    text = page.read_text()
    assert "- `web`: localhost:8090; after db" in text
    assert text.startswith("# Ours\n\n<!-- devstack: begin")
    assert text.endswith("\nmore of ours\n")
