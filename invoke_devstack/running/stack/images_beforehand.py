"""Which images an `up` would pull and cannot have. Registries are asked before anything is done."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterable, Iterator, Sequence
from contextlib import suppress
from typing import TYPE_CHECKING

from invoke_devstack.errors import DevstackError, ImageReason, ImageUnavailableError
from invoke_devstack.planning.causes import CauseKind
from invoke_devstack.planning.observed import Observed
from invoke_devstack.planning.options import PlanningOptions
from invoke_devstack.planning.plan import PullImage
from invoke_devstack.planning.plans.images import image_actions
from invoke_devstack.running.session import Session

if TYPE_CHECKING:
    from invoke_devstack.definition.model import Definition

_PATIENCE = 5.0
"""Seconds for all answers. A registry that is slower is left to the pull."""
_LOOK = 0.1  # seconds between two looks whether a signal came
_CERTAIN: tuple[ImageReason, ...] = ("missing", "denied", "registry", "tls", "rate-limit")
"""Reasons that a pull would fail for too. Others may pass until then."""


def unavailable_images(
    session: Session,
    definition: Definition,
    names: Iterable[str],
    observed: Observed,
    options: PlanningOptions,
) -> Iterator[DevstackError]:
    """An error for each image that is not on the engine and that its registry does not give. Images that are
    there cost nothing: nobody is asked about them."""
    references = tuple(_to_pull(definition, names, observed, options))
    found: dict[str, ImageUnavailableError] = {}
    threads = [
        threading.Thread(target=_ask, args=(session, reference, found), name="registry", daemon=True)
        for reference in references
    ]
    for thread in threads:
        thread.start()
    _wait(session, threads)
    for reference in references:
        if reference in found and found[reference].reason in _CERTAIN:
            yield found[reference]


def _to_pull(
    definition: Definition, names: Iterable[str], observed: Observed, options: PlanningOptions
) -> Iterator[str]:
    """The images that are missing, without those whose name is not complete."""
    empty = tuple(str(error.position.key) for error in definition.missing if error.position is not None)
    for name in names:
        if f"services.{name}.image" in empty:
            continue
        with suppress(DevstackError):  # one that may not be pulled: told elsewhere
            actions = image_actions(definition, (name,), observed, options).values()
            for action in actions:
                if (
                    isinstance(action, PullImage)
                    and not action.optional
                    and action.cause.kind is CauseKind.MISSING
                ):
                    yield action.target


def _ask(session: Session, reference: str, found: dict[str, ImageUnavailableError]) -> None:
    try:
        session.engine.require_published(reference)
    except ImageUnavailableError as error:
        found[reference] = error
    except DevstackError:  # whatever it is, the pull meets it and says it
        return


def _wait(session: Session, threads: Sequence[threading.Thread]) -> None:
    """Until all have ended, or it takes too long. Raises Interrupted."""
    limit = time.monotonic() + _PATIENCE
    while any(thread.is_alive() for thread in threads) and time.monotonic() < limit:
        for thread in threads:
            thread.join(_LOOK / len(threads))
        session.interrupt.check()
