"""What a Dockerfile needs from its builder. Pure: scans instructions, without parsing them fully
(https://docs.docker.com/reference/dockerfile/)."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass

_DIRECTIVE = re.compile(r"^#\s*(?P<name>[A-Za-z]+)\s*=\s*(?P<value>.+?)\s*$")
_HEREDOC = re.compile(r"(?<!\S)\d*<<(?P<dash>-?)(?P<quote>['\"]?)(?P<word>[A-Za-z_][A-Za-z0-9_]*)(?P=quote)")
_NEEDS: tuple[tuple[re.Pattern[str], str], ...] = (
    (re.compile(r"RUN\b.*?\s--(mount|network|security|device)=", re.IGNORECASE), "RUN --{}"),
    (re.compile(r"(?:COPY|ADD)\b.*?\s--(link|chmod|exclude|parents|checksum|keep-git-dir)\b", re.I), "--{}"),
)


@dataclass(frozen=True, slots=True)
class Instruction:
    """One instruction, with its continuation lines. Lines count from 1."""

    line: int
    text: str


@dataclass(frozen=True, slots=True)
class BuildKitNeed:
    """Something in a Dockerfile that only BuildKit understands."""

    line: int
    what: str


def syntax_of(text: str) -> str:
    """The frontend image of the `# syntax=` directive, which comes first in the file; "" without one."""
    for line in text.removeprefix("\ufeff").splitlines():
        match = _DIRECTIVE.match(line)
        if not match:
            return ""
        if match["name"].lower() == "syntax":
            return match["value"]
    return ""


def without_syntax(text: str) -> str:
    """The same Dockerfile for the builder's own frontend."""
    return re.sub(r"\A((?:#[^\n]*\n)*?)#\s*syntax\s*=[^\n]*", r"\1#", text, flags=re.IGNORECASE)


def buildkit_need(text: str) -> BuildKitNeed | None:
    """The first thing that the classic builder cannot do. It ignores `# syntax=docker/dockerfile`, as a
    comment."""
    frontend = syntax_of(text)
    if frontend and not re.match(r"(docker\.io/)?docker/dockerfile(:|$|@)", frontend):
        return BuildKitNeed(1, f"# syntax={frontend}")
    for instruction in instructions(text):
        for pattern, what in _NEEDS:
            match = pattern.match(instruction.text)
            if match:
                return BuildKitNeed(instruction.line, what.format(match[1]))
        if re.match(r"(RUN|COPY|ADD)\b", instruction.text, re.I) and _HEREDOC.search(instruction.text):
            return BuildKitNeed(instruction.line, "a here-document (<<)")
    return None


def base_images(text: str) -> tuple[str, ...]:
    """The images after FROM, as written, without names of earlier stages."""
    stages: set[str] = set()
    found: list[str] = []
    for instruction in instructions(text):
        match = re.match(r"FROM\s+(?:--\S+\s+)*(\S+)(?:\s+AS\s+(\S+))?", instruction.text, re.IGNORECASE)
        if not match:
            continue
        if match[1].lower() not in stages and match[1] != "scratch" and match[1] not in found:
            found.append(match[1])
        stages.add((match[2] or "").lower())
    return tuple(found)


def instructions(text: str) -> Iterator[Instruction]:
    """The instructions in order, without comments and the bodies of here-documents."""
    escape = _escape_of(text)
    lines = enumerate(text.removeprefix("\ufeff").splitlines(), 1)
    for number, line in lines:
        if not line.strip() or line.lstrip().startswith("#"):
            continue
        joined = line.strip()
        while joined.endswith(escape):
            following = next((item for _, item in lines if _continues(item)), "")
            joined = f"{joined[:-1].rstrip()} {following.strip()}"
        for heredoc in _HEREDOC.finditer(joined):
            _skip_body(lines, heredoc["word"])
        yield Instruction(number, joined)


def _continues(line: str) -> bool:
    """False for comments and empty lines, which are skipped in the middle of an instruction."""
    return bool(line.strip()) and not line.lstrip().startswith("#")


def _skip_body(lines: Iterator[tuple[int, str]], word: str) -> None:
    for _, line in lines:
        if line.strip() == word:
            return


def _escape_of(text: str) -> str:
    for line in text.splitlines():
        match = _DIRECTIVE.match(line)
        if not match:
            break
        if match["name"].lower() == "escape":
            return match["value"]
    return "\\"
