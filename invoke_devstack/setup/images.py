"""The images of a definition: pulled where their registry answers, else made as stand-ins. What is
there is left alone."""

from __future__ import annotations

import time
from collections.abc import Iterable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import TYPE_CHECKING

from invoke_devstack.engine.endpoints import find_endpoint
from invoke_devstack.engine.protocol import Engine, Progress
from invoke_devstack.errors import DevstackError, ImageUnavailableError, SetupError
from invoke_devstack.events import ActionFailed, ActionFinished, ActionProgress, ActionStarted, Emit
from invoke_devstack.planning.labels import STAND_IN
from invoke_devstack.settings import Settings
from invoke_devstack.setup.machine import Machine
from invoke_devstack.setup.needed_images import NeededImage, needed_images
from invoke_devstack.setup.questions import say
from invoke_devstack.setup.registry import Reached, probe_registries, registry_hosts
from invoke_devstack.setup.standins import Recipe, find_recipe, make_standins

if TYPE_CHECKING:
    from invoke_devstack.definition.model import Definition

ACTION = "pull"
# What a stand-in helps against; a misspelt name or a refused login it would only hide.
MENDED_BY_STANDIN = frozenset({"registry", "tls", "rate-limit", "broken", "busy", ""})


@dataclass(frozen=True, slots=True)
class ImagesReport:
    """References by what became of them."""

    pulled: tuple[str, ...] = ()
    made: tuple[str, ...] = ()
    kept: tuple[str, ...] = ()
    standins: tuple[str, ...] = ()  # those of `kept` that are stand-ins


def bring_images(
    machine: Machine, engine: Engine, definition: Definition, settings: Settings, emit: Emit
) -> ImagesReport:
    """Brings every image that `definition` asks for. Raises SetupError for one that can neither be pulled
    nor made, and what `pull` raises for one that its registry refuses."""
    needed = needed_images(definition)
    here = {image.reference: engine.find_image(image.reference) for image in needed}
    missing = [image for image in needed if here[image.reference] is None]
    standins = tuple(
        reference for reference, found in here.items() if found is not None and STAND_IN in found.labels
    )
    reached = _probe([image.reference for image in missing] + list(standins), settings)
    pulled, made = _bring_missing(machine, engine, missing, reached, settings, emit)
    tell_replaceable(standins, reached, settings, emit)
    kept = tuple(reference for reference, found in here.items() if found is not None)
    return ImagesReport(pulled, made, kept, standins)


def _probe(references: Iterable[str], settings: Settings) -> Mapping[str, Reached]:
    hosts = [host for reference in references for host in registry_hosts(reference, settings.registry_mirror)]
    return probe_registries(hosts)


def _bring_missing(
    machine: Machine,
    engine: Engine,
    missing: Sequence[NeededImage],
    reached: Mapping[str, Reached],
    settings: Settings,
    emit: Emit,
) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """(pulled, made). An image without a stand-in is pulled whatever the probe said: the engine may
    have a way of its own, and its error is the better one."""
    recipes = {image.reference: find_recipe(image.reference) for image in missing}
    to_pull: list[NeededImage] = []
    wanted: dict[str, Recipe] = {}
    tries_anyway = bool(missing) and has_own_way(engine)
    for image in missing:
        recipe = recipes[image.reference]
        if recipe is None or tries_anyway or _answers(image.reference, reached, settings):
            to_pull.append(image)
        else:
            wanted[image.reference] = recipe
    pulled, refused = _pull_all(engine, to_pull, emit)
    causes = _causes(wanted, reached, settings)
    for image, error in refused.items():
        recipe = recipes[image.reference]
        if recipe is None or error.reason not in MENDED_BY_STANDIN:
            raise _explain(image, error, recipes)
        wanted[image.reference] = recipe
        causes.append(error.message)
    make_standins(machine, engine, wanted, emit, cause="; ".join(dict.fromkeys(causes)))
    return pulled, tuple(wanted)


def has_own_way(engine: Engine) -> bool:
    """Whether the engine may reach a registry that this machine does not: through a mirror or proxy of its
    own, or because it is on another machine."""
    info = engine.system_info()
    mirrors = (info.get("RegistryConfig") or {}).get("Mirrors")
    return bool(mirrors or info.get("HttpsProxy") or info.get("HttpProxy") or not find_endpoint().is_local)


def _answers(reference: str, reached: Mapping[str, Reached], settings: Settings) -> bool:
    return any(reached[host].ok for host in registry_hosts(reference, settings.registry_mirror))


def _causes(references: Iterable[str], reached: Mapping[str, Reached], settings: Settings) -> list[str]:
    hosts = dict.fromkeys(
        host for reference in references for host in registry_hosts(reference, settings.registry_mirror)
    )
    return [f"{host} is out of reach: {reached[host].reason}" for host in hosts]


def _explain(
    image: NeededImage, error: ImageUnavailableError, recipes: Mapping[str, Recipe | None]
) -> DevstackError:
    if error.reason != "registry" or recipes[image.reference] is not None:
        return error
    return SetupError(
        f"{error.message}, and `{image.reference}` has no stand-in ({image.reason})",
        details=error.details,
        hint="Look at the network, VPN or proxy (`invoke doctor` does), set devstack.registry_mirror, "
        "or load it from a file that `docker save` made elsewhere: docker load -i FILE",
    )


def _pull_all(
    engine: Engine, images: Sequence[NeededImage], emit: Emit
) -> tuple[tuple[str, ...], dict[NeededImage, ImageUnavailableError]]:
    """(pulled references, the errors of those that could not be)."""
    if not images:
        return (), {}
    refused: dict[NeededImage, ImageUnavailableError] = {}

    def pull(image: NeededImage) -> None:
        try:
            _pull(engine, image, emit)
        except ImageUnavailableError as error:
            refused[image] = error

    with ThreadPoolExecutor(len(images)) as pool:
        list(pool.map(pull, images))
    return tuple(image.reference for image in images if image not in refused), refused


def _pull(engine: Engine, image: NeededImage, emit: Emit) -> None:
    target, began = image.reference, time.monotonic()
    emit(ActionStarted(action=ACTION, target=target, cause=image.reason))

    def tell(progress: Progress) -> None:
        emit(
            ActionProgress(
                action=ACTION,
                target=target,
                item=progress.item,
                text=progress.text,
                done=progress.done,
                total=progress.total,
                unit=progress.unit,
            )
        )

    try:
        engine.pull(target, platform=image.platform, on_progress=tell)
    except ImageUnavailableError as error:
        seconds = time.monotonic() - began
        emit(ActionFailed(action=ACTION, target=target, seconds=seconds, error=error.message))
        raise
    emit(ActionFinished(action=ACTION, target=target, seconds=time.monotonic() - began))


def tell_replaceable(
    standins: Sequence[str], reached: Mapping[str, Reached], settings: Settings, emit: Emit
) -> None:
    """Says of stand-ins whose registry answers again that the real images can be had, and how."""
    real = [reference for reference in standins if _answers(reference, reached, settings)]
    if real:
        say(
            emit,
            f"The registry answers again: {', '.join(real)} can be replaced by the real images. "
            f"Run: invoke pull && invoke up",
        )
