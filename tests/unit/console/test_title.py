"""The terminal's title and progress, and who has them."""

from __future__ import annotations

import pytest

from invoke_devstack.console.notification import desktop_command, terminal_sequence
from invoke_devstack.console.screen import Screen
from invoke_devstack.console.title import Progress, Title, has_progress, has_title
from tests.unit.console.conftest import Stream


@pytest.mark.parametrize(
    ("environment", "title", "progress"),
    [
        ({"TERM": "xterm-256color"}, True, False),
        ({"TERM": "xterm-256color", "WT_SESSION": "x"}, True, True),
        ({"ConEmuANSI": "ON"}, True, True),
        ({"TERM": "xterm-256color", "VTE_VERSION": "7600"}, True, False),
        ({"TERM": "xterm-256color", "VTE_VERSION": "8200"}, True, True),
        (
            {"TERM": "xterm-256color", "TERM_PROGRAM": "iTerm.app", "TERM_PROGRAM_VERSION": "3.5.9"},
            True,
            False,
        ),
        (
            {"TERM": "xterm-256color", "TERM_PROGRAM": "iTerm.app", "TERM_PROGRAM_VERSION": "3.6.6"},
            True,
            True,
        ),
        ({"TERM": "xterm-ghostty"}, True, True),
        ({"TERM": "xterm-256color", "TERM_PROGRAM": "WezTerm"}, True, True),
        ({"TERM": "xterm-kitty"}, True, False),
        ({"TERM": "tmux-256color", "TMUX": "x", "WT_SESSION": "x"}, True, False),
        ({"TERM": "linux"}, False, False),
        ({"TERM": "dumb"}, False, False),
        ({"TERM": "vt100"}, False, False),
        ({}, False, False),
        ({"TERM": "xterm-256color", "WT_SESSION": "x", "CI": "true"}, False, False),
    ],
)
def test_who_has_a_title_and_progress(environment: dict[str, str], title: bool, progress: bool) -> None:
    assert has_title(environment) == title
    assert has_progress(environment) == progress


def said(terminal: bool, **environment: str) -> str:
    stream = Stream(terminal=terminal)
    title = Title(Screen.of(stream, environment), environment)
    title.say("shop: 1 of 4", Progress.PART, 25)
    title.say("shop: 1 of 4", Progress.PART, 25)
    title.say("shop\x1b]0;x\x07: 2\nof 4", Progress.PART, 50)
    title.end()
    title.end()
    return stream.written


def test_it_is_said_once_cleaned_and_given_back() -> None:
    assert said(True, TERM="xterm", WT_SESSION="x") == (
        "\x1b[22;0t\x1b]0;shop: 1 of 4\x07\x1b]9;4;1;25\x07"
        "\x1b]0;shop: 2 of 4\x07\x1b]9;4;1;50\x07"
        "\x1b]9;4;0;0\x07\x1b]0;\x07\x1b[23;0t"
    )


def test_a_terminal_without_progress_gets_none() -> None:
    assert "\x1b]9;" not in said(True, TERM="xterm")


def test_what_is_no_terminal_gets_nothing() -> None:
    assert said(False, TERM="xterm", WT_SESSION="x") == ""
    assert said(True, TERM="dumb", WT_SESSION="x") == ""


@pytest.mark.parametrize(
    ("environment", "sequence"),
    [
        ({"TERM": "xterm-256color", "TERM_PROGRAM": "iTerm.app"}, "\x1b]9;shop: web: no; really\x07"),
        ({"TERM": "foot"}, "\x1b]777;notify;shop: web;no, really\x07"),
        ({"TERM": "xterm-256color"}, ""),
        ({"TERM": "tmux-256color", "TMUX": "x", "TERM_PROGRAM": "iTerm.app"}, ""),
    ],
)
def test_terminals_that_show_notifications(environment: dict[str, str], sequence: str) -> None:
    shown = terminal_sequence("shop: web", "no; really", environment)
    assert shown == sequence


def test_without_a_program_of_the_desktop_there_is_no_command(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", "")
    assert desktop_command("title", "text") == []
