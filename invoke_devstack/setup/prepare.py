"""`invoke setup`: everything that a stack needs before its first `up`."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from invoke_devstack.events import Emit
from invoke_devstack.settings import Settings
from invoke_devstack.setup.engine import ensure_engine
from invoke_devstack.setup.env_file import write_env_file
from invoke_devstack.setup.images import ImagesReport, bring_images
from invoke_devstack.setup.machine import Machine
from invoke_devstack.setup.reporting import Ask, Questions, say

if TYPE_CHECKING:
    from invoke_devstack.definition.model import Definition


@dataclass(frozen=True, slots=True)
class SetupReport:
    """What `setup` found and did. `engine` is the engine's name and version."""

    engine: str
    images: ImagesReport
    env_added: tuple[str, ...] = ()  # variables that it wrote into `.env`

    @property
    def changed(self) -> bool:
        return bool(self.images.pulled or self.images.made or self.env_added)


def run_setup(
    machine: Machine,
    directory: Path,
    load_definition: Callable[[], Definition],
    settings: Settings,
    emit: Emit,
    ask: Ask | None,
    *,
    assume_yes: bool = False,
) -> SetupReport:
    """Provides what a stack in `directory` needs: `.env`, an engine that answers, its images.

    `ask` shows a question and returns the answer; it is None if there is no terminal. The definition is
    loaded once `.env` exists. Raises SetupError, EngineUnavailableError or ImageUnavailableError, which say
    what to do by hand; what was done before stays.
    """
    questions = Questions(ask, assume_yes)
    added = write_env_file(directory, emit, questions)
    definition = load_definition()
    engine = ensure_engine(machine, settings, emit, questions)
    try:
        images = bring_images(machine, engine, definition, settings, emit)
        info = engine.info()
    finally:
        engine.close()
    report = SetupReport(f"{info.name} {info.version}", images, added)
    say(emit, _summary(report))
    return report


def _summary(report: SetupReport) -> str:
    parts = [f"{report.engine} answers"]
    if report.images.pulled:
        parts.append(f"pulled {', '.join(report.images.pulled)}")
    if report.images.made:
        parts.append(f"built stand-ins for {', '.join(report.images.made)}")
    if not report.images.pulled and not report.images.made:
        parts.append(
            f"all {len(report.images.kept)} images are on the engine"
            if report.images.kept
            else "no images needed"
        )
    if report.images.standins:
        parts.append(f"stand-ins: {', '.join(report.images.standins)}")
    return "; ".join(parts) + "."
