"""What can be told of a regular expression without running it on each line.

Running it takes up to 25 ns for each character, looking for a text a tenth of that. So a search looks for a
text that every match has, and runs the expression only where it is found.
"""

from __future__ import annotations

import re

_SHORTEST = 2
_PLAIN = re.compile(r"[A-Za-z0-9 _:;=/\"'<>,@#%&!~`-]")
_QUANTIFIERS = "*?{+"
_APART = re.compile(r"\(\?<?!|\(\?>|\(\?\(|[*+?}]\+|\\[AZz]")
_SETS_FLAGS = re.compile(r"\(\?[a-zA-Z-]+[:)]")


def can_walk(pattern: str) -> bool:
    """Whether the expression finds in many lines at once what it finds in one of them: not where it says what
    must not follow, gives nothing back, or means the ends of the text."""
    return _APART.search(pattern) is None


def needle_of(pattern: str) -> str:
    """The longest text that stands in the expression by itself, and so in every match. Empty if none is
    certain: nothing is taken from groups and choices."""
    if "|" in pattern or _SETS_FLAGS.search(pattern):
        return ""
    runs, depth, place = [""], 0, 0
    while place < len(pattern):
        text, size = _literal(pattern, place)
        opens = pattern[place] == "("
        closes = pattern[place] == ")"
        depth += opens - closes
        following = pattern[place + size : place + size + 1]
        if not text or depth or (following and following in "*?{"):
            runs.append("")
        else:
            runs[-1] += text
            if following == "+":
                runs.append("")
        place += size
    found = max(runs, key=len)
    return found if len(found) >= _SHORTEST else ""


def _literal(pattern: str, place: int) -> tuple[str, int]:
    """The text that stands here, or "", and how much of the pattern it is."""
    character = pattern[place]
    if character == "\\":
        escaped = pattern[place + 1 : place + 2]
        is_sign = escaped.isascii() and not escaped.isalnum() and escaped != ""
        return (escaped, 2) if is_sign else ("", _length_of_escape(pattern, place))
    if character == "[":
        return "", _length_of_set(pattern, place)
    return (character, 1) if _PLAIN.fullmatch(character) else ("", 1)


def _length_of_escape(pattern: str, place: int) -> int:
    """Of `\\d`, `\\x41`, `\\u00e9`, `\\101` and the like."""
    match = re.compile(
        r"\\(?:x[0-9a-fA-F]{2}|u[0-9a-fA-F]{4}|U[0-9a-fA-F]{8}|[0-9]{1,3}|.|$)", re.DOTALL
    ).match(pattern, place)
    return match.end() - place if match else 2


def _length_of_set(pattern: str, place: int) -> int:
    """Of `[…]`: a bracket that comes first, or first after `^`, is one of the characters."""
    end = place + (2 if pattern.startswith("[^", place) else 1) + 1
    while end < len(pattern) and pattern[end] != "]":
        end += 2 if pattern[end] == "\\" else 1
    return end + 1 - place
