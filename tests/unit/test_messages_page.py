"""docs/reference/messages.md: what the generator finds. `invoke lint` checks that the page is up to date."""

from __future__ import annotations

import ast
import textwrap

from tools.messages import page, texts_of

SOURCE = '''
"""Not a message."""

@task("up", flags={"all_": "Everything."})
def up(work):
    """Start the stack.

    And more.
    """
    if not work:
        raise UsageError(f"unknown service `{work.name}`", hint="Run `invoke ps`.")
    work.answer(f"{work.count()} containers are up")
    return re.compile("not a message")
'''


def test_tasks_flags_errors_hints_and_answers_are_found() -> None:
    assert list(texts_of(ast.parse(textwrap.dedent(SOURCE)))) == [
        ("task", "up: Start the stack.\nAnd more."),
        ("flag", "--all: Everything."),
        ("error", "unknown service `{name}`"),
        ("hint", "Run `invoke ps`."),
        ("answer", "{…} containers are up"),
    ]


def test_the_page_names_the_module_of_each_text() -> None:
    _, _, rest = page().partition("### tasks/flags.py\n")
    assert "unknown signal `{text}`" in rest.partition("\n### ")[0]
    assert "cannot be combined" in rest.partition("\n### ")[0]
