"""The variables that Compose files use, as `config --variables` lists them."""

from __future__ import annotations

from pathlib import Path

import pytest

from invoke_devstack.definition import load
from invoke_devstack.definition.output.variables import used_variables
from invoke_devstack.definition.syntax.template import variables_in


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("no variables, $$ESCAPED and $${ESCAPED}", []),
        ("$A/${B}", [("A", "", ""), ("B", "", "")]),
        ("${A:-x}${B?must be set}", [("A", ":-", "x"), ("B", "?", "must be set")]),
        ("${A:+${B-{x}}}/$C", [("A", ":+", "${B-{x}}"), ("B", "-", "{x}"), ("C", "", "")]),
    ],
)
def test_variables_of_a_text(text: str, found: list[tuple[str, str, str]]) -> None:
    assert list(variables_in(text)) == found


def test_each_variable_has_a_row_with_what_sets_it(tmp_path: Path) -> None:
    (tmp_path / ".env").write_text("FROM_FILE=1\n")
    (tmp_path / "compose.yaml").write_text(
        """
        services:
          web:
            image: "web:${TAG:-latest}"
            environment:
              A: "${FROM_FILE} ${TAG:?}"
              B: "${SET:+yes}"
              C: "${NEEDED:?say which}"
        """
    )
    definition = load(tmp_path, environment={"SET": "1"}, gathering=True)
    rows = {row["variable"]: [*row.values()][1:] for row in used_variables(definition)}
    assert rows == {
        "FROM_FILE": [False, "", "", str(tmp_path / ".env")],
        "NEEDED": [True, "", "", "unset"],
        "SET": [False, "", "yes", "environment"],
        "TAG": [True, "latest", "", "unset"],
    }
