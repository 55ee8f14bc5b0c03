"""`invoke deploy.export`: the stack as files for another orchestrator."""

from __future__ import annotations

import shlex
from pathlib import Path
from typing import TYPE_CHECKING, Any

from invoke_devstack.events import Notice
from invoke_devstack.tasks import flags
from invoke_devstack.tasks.declare import task

if TYPE_CHECKING:
    from invoke_devstack.planning.preflight.findings import Finding
    from invoke_devstack.tasks.work import Work


@task(
    "export",
    json="answer",
    flags={
        "directory": "Where to write them.",
        "format": "`kubernetes` (default): manifests and a kustomization.",
    },
)
def export(work: Work, directory: str, format: str = "kubernetes", yes: bool = False) -> None:  # noqa: A002
    """Write the stack as manifests of Kubernetes.

    What has no counterpart there is named. Secrets are in a folder of their own, which only you can read. No
    cluster is contacted. Asks before it replaces files.
    """
    from invoke_devstack.deploying.export import export_to, is_occupied
    from invoke_devstack.planning.preflight.findings import Level, grouped

    flags.choice("format", format, ("kubernetes",))
    target = Path(directory).absolute()
    if is_occupied(target):
        work.confirm(f"Replace files in {target}?", yes=yes, loses=f"files of the same names in {target}")
    made, files = export_to(work.named_definition, target)
    for level, start in ((Level.ERROR, "will not work: "), (Level.WARNING, "")):
        for text in grouped(made.findings, level):
            work.tell(Notice(text=f"{start}{text}", level="warning"))
    text = (
        f"wrote {len(files)} files to {target}; apply them with `kubectl apply -k {shlex.quote(directory)}`"
    )
    findings = [_as_data(finding) for finding in made.findings]
    work.answer(text, {"directory": str(target), "files": files, "findings": findings})


def _as_data(finding: Finding) -> dict[str, Any]:
    place = finding.place
    return {
        "kind": finding.kind,
        "level": finding.level,
        "key": finding.key,
        "file": str(place.file) if place else None,
        "line": place.line if place else None,
        "text": finding.text,
        "hint": finding.hint,
    }
