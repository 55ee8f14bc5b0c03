"""What a Dockerfile asks of its builder."""

from __future__ import annotations

import pytest

from invoke_devstack.engine.builds.dockerfile import (
    base_images,
    buildkit_need,
    instructions,
    syntax_of,
    without_syntax,
)


@pytest.mark.parametrize(
    ("text", "line", "what"),
    [
        ("FROM a\nRUN --mount=type=cache,target=/c make\n", 2, "RUN --mount"),
        ("FROM a\nRUN --network=none make\n", 2, "RUN --network"),
        ("FROM a\n\n# note\nRUN \\\n  --mount=type=secret,id=x \\\n  make\n", 4, "RUN --mount"),
        ("FROM a\nCOPY --link a b\n", 2, "--link"),
        ("FROM a\nCOPY --chown=1 --chmod=644 a b\n", 2, "--chmod"),
        ("FROM a\nCOPY --exclude=*.md . .\n", 2, "--exclude"),
        ("FROM a\nRUN <<EOF\necho hi\nEOF\n", 2, "a here-document (<<)"),
        ("FROM a\nCOPY <<-'END' /file\ntext\nEND\n", 2, "a here-document (<<)"),
        ("# syntax=me/frontend:1\nFROM a\n", 1, "# syntax=me/frontend:1"),
    ],
)
def test_what_needs_buildkit_is_named_with_its_line(text: str, line: int, what: str) -> None:
    need = buildkit_need(text)
    assert need is not None
    assert (need.line, need.what) == (line, what)


@pytest.mark.parametrize(
    "text",
    [
        "FROM a\nRUN make\nCOPY --from=b --chown=1:1 x y\n",
        "# syntax=docker/dockerfile:1\nFROM a\nRUN make\n",
        "# syntax = docker.io/docker/dockerfile:1.7-labs\nFROM a\n",
        "FROM a\n# RUN --mount=type=cache x\n",
        "FROM a\nRUN echo $((1<<SHIFT))\n",
        'FROM a\nCMD ["x", "--mount=y"]\n',
    ],
)
def test_what_the_classic_builder_can_do_needs_no_buildkit(text: str) -> None:
    assert buildkit_need(text) is None


def test_continued_lines_are_one_instruction_and_comments_in_them_are_none() -> None:
    text = "FROM a\nRUN one \\\n# why\n\n  two \\\n  three\nCMD x\n"
    assert [(item.line, item.text) for item in instructions(text)] == [
        (1, "FROM a"),
        (2, "RUN one two three"),
        (7, "CMD x"),
    ]


def test_another_escape_character_continues_lines() -> None:
    text = "# escape=`\nFROM a\nRUN one `\n two\nRUN C:\\\nCMD x\n"
    assert [item.text for item in instructions(text)] == ["FROM a", "RUN one two", "RUN C:\\", "CMD x"]


def test_the_body_of_a_here_document_is_no_instruction() -> None:
    text = "FROM a\nRUN <<ONE cat && <<TWO cat\nFROM x\nONE\nRUN y\nTWO\nCMD z\n"
    assert [item.text.split()[0] for item in instructions(text)] == ["FROM", "RUN", "CMD"]


def test_a_line_that_is_continued_at_the_end_of_the_file_is_an_instruction() -> None:
    assert [item.text.strip() for item in instructions("FROM a\nRUN x \\\n")] == ["FROM a", "RUN x"]


def test_base_images_are_those_that_no_stage_is_called() -> None:
    names = ("--platform=linux/amd64 python:3 AS base", "scratch", "Base AS two", "redis:8", "redis:8")
    text = "\n".join(f"FROM {name}" for name in names)
    assert base_images(text) == ("python:3", "redis:8")


def test_the_syntax_line_can_be_taken_out() -> None:
    text = "# escape=\\\n# syntax=docker/dockerfile:1\nFROM a\n"
    assert syntax_of(text) == "docker/dockerfile:1"
    assert syntax_of(without_syntax(text)) == ""
    assert without_syntax(text).count("\n") == text.count("\n")


def test_a_syntax_line_after_an_instruction_or_a_comment_is_a_comment() -> None:
    assert syntax_of("FROM a\n# syntax=x\n") == ""
    assert syntax_of("# a comment\n# syntax=x\nFROM a\n") == ""
