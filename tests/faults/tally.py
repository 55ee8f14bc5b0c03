"""What came of a fault, and the table of all."""

from __future__ import annotations

import re
from dataclasses import dataclass, field

from invoke_devstack.tasks.boundary import BUG_HINT
from tests.faults.project import Ended


@dataclass
class Tally:
    """`rounds` that were run; in them: acknowledged data that were `lost`, things `left` on the engine,
    commands that `hung`, and what was otherwise `wrong`, in words."""

    rounds: int = 0
    lost: int = 0
    left: int = 0
    hung: int = 0
    wrong: list[str] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)
    not_run: str = ""

    def check(self, right: bool, text: str) -> None:
        if not right:
            self.wrong.append(f"round {self.rounds}: {text}")

    def ended(self, ended: Ended, *, code: int | None = 0, says: str = "") -> Ended:
        """Judges how a command ended: in time, with this exit code (None: any), without a traceback,
        saying what it should (a regular expression)."""
        words = " ".join(ended.words)
        if ended.hung:
            self.hung += 1
            self.wrong.append(f"round {self.rounds}: `{words}` hung: {ended.tail}")
            return ended
        self.check(code is None or ended.code == code, f"`{words}` ended with {ended.code}: {ended.tail}")
        self.check("Traceback" not in ended.text, f"`{words}` shows a traceback: {ended.tail}")
        self.check(BUG_HINT not in ended.text, f"`{words}` has a bug: {ended.tail}")
        if says:
            found = re.search(says, ended.text, re.IGNORECASE)
            self.check(found is not None, f"`{words}` does not say {says!r}: {ended.tail}")
        return ended

    def nothing_beyond(self, before: dict[str, set[str]], after: dict[str, set[str]]) -> None:
        """Counts what is there now and was not there before."""
        extra = {kind: sorted(after[kind] - before[kind]) for kind in before}
        self.left += sum(map(len, extra.values()))
        found = "; ".join(f"{kind} {', '.join(names)}" for kind, names in extra.items() if names)
        self.check(not found, f"left over: {found}")

    @property
    def good(self) -> bool:
        return not (self.lost or self.left or self.hung or self.wrong or self.not_run)


@dataclass(frozen=True)
class Row:
    fault: str
    says: str
    tally: Tally
    seconds: float


def table(rows: list[Row]) -> str:
    """The table of all faults as Markdown, and below it what was wrong."""
    lines = [
        "| fault | rounds | lost | left over | hung | otherwise wrong | s | |",
        "| --- | ---: | ---: | ---: | ---: | ---: | ---: | --- |",
    ]
    for row in rows:
        tally = row.tally
        verdict = "not run" if tally.not_run else "good" if tally.good else "**failed**"
        counts = f"{tally.rounds} | {tally.lost} | {tally.left} | {tally.hung} | {len(tally.wrong)}"
        lines.append(f"| {row.fault}: {row.says} | {counts} | {row.seconds:.0f} | {verdict} |")
    for row in rows:
        remarks = [*row.tally.wrong, *([row.tally.not_run] if row.tally.not_run else []), *row.tally.notes]
        if remarks:
            lines += ["", f"{row.fault}:", ""]
            lines += [f"- {re.sub(r'[|`]', ' ', text)[:600]}" for text in remarks[:12]]
    return "\n".join(lines)
