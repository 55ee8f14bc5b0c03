from __future__ import annotations

import re

import pytest

from invoke_devstack.late_patterns import late


def test_it_finds_what_the_pattern_finds() -> None:
    word = late(r"(a+)b", re.IGNORECASE)
    match = word.search("xAAby")
    assert match is not None
    assert match[1] == "AA"
    assert word.sub("-", "ab b aab") == "- b -"
    assert word.pattern == "(a+)b"


def test_bytes_too() -> None:
    assert late(rb"\d+").findall(b"1 22") == [b"1", b"22"]


def test_a_wrong_pattern_is_told_when_it_is_used() -> None:
    wrong = late("(")
    with pytest.raises(re.error):
        wrong.search("")


def test_it_is_compiled_once(monkeypatch: pytest.MonkeyPatch) -> None:
    once = late("once")
    once.search("")
    monkeypatch.setattr(re, "compile", None)
    assert once.search("once")
