"""The images of a definition: pulled if their registry answers, or else built as stand-ins. Images that are
on the engine already are left alone."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import TYPE_CHECKING

from invoke_devstack.engine.protocol import Engine
from invoke_devstack.errors import DevstackError, ImageReason, ImageUnavailableError, SetupError
from invoke_devstack.events import Emit
from invoke_devstack.planning.labels import STAND_IN
from invoke_devstack.settings import Settings
from invoke_devstack.setup.machine import Machine
from invoke_devstack.setup.needed_images import NeededImage, needed_images
from invoke_devstack.setup.registry import Reached, probe_registries, registry_hosts
from invoke_devstack.setup.reporting import run_action, say
from invoke_devstack.setup.standins import Recipe, find_recipe, make_standins

if TYPE_CHECKING:
    from invoke_devstack.definition.model import Definition

ACTION = "pull"
# A stand-in would only hide other reasons, such as a misspelt name or a refused login.
REPLACED_BY_STANDIN: tuple[ImageReason, ...] = ("registry", "tls", "rate-limit", "broken", "busy", "")


@dataclass(frozen=True, slots=True)
class ImagesReport:
    """References, by what was done with them."""

    pulled: tuple[str, ...] = ()
    made: tuple[str, ...] = ()
    kept: tuple[str, ...] = ()
    standins: tuple[str, ...] = ()  # those of `kept` that are stand-ins


def bring_images(
    machine: Machine, engine: Engine, definition: Definition, settings: Settings, emit: Emit
) -> ImagesReport:
    """Provides every image that `definition` needs. Raises SetupError for one that can be neither pulled nor
    built, and ImageUnavailableError for one that its registry refuses."""
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
    """(pulled, made). An image without a stand-in is pulled even if the probe failed: the engine may have
    another route, and its error says more."""
    recipes = {image.reference: find_recipe(image.reference) for image in missing}
    to_pull: list[NeededImage] = []
    wanted: dict[str, Recipe] = {}
    always_tries = bool(missing) and has_other_route(engine)
    for image in missing:
        recipe = recipes[image.reference]
        if recipe is None or always_tries or _answers(image.reference, reached, settings):
            to_pull.append(image)
        else:
            wanted[image.reference] = recipe
    pulled, refused = _pull_all(engine, to_pull, emit)
    causes = _causes(wanted, reached, settings)
    for image, error in refused.items():
        recipe = recipes[image.reference]
        if recipe is None or error.reason not in REPLACED_BY_STANDIN:
            raise _explain(image, error, recipes)
        wanted[image.reference] = recipe
        causes.append(error.message)
    make_standins(machine, engine, wanted, emit, cause="; ".join(dict.fromkeys(causes)))
    return pulled, tuple(wanted)


def has_other_route(engine: Engine) -> bool:
    """Whether the engine may reach a registry that this machine cannot reach: through its own mirror or
    proxy, or because it runs on another machine."""
    info = engine.system_info()
    mirrors = (info.get("RegistryConfig") or {}).get("Mirrors")
    return bool(mirrors or info.get("HttpsProxy") or info.get("HttpProxy") or not engine.endpoint.is_local)


def _answers(reference: str, reached: Mapping[str, Reached], settings: Settings) -> bool:
    return any(reached[host].ok for host in registry_hosts(reference, settings.registry_mirror))


def _causes(references: Iterable[str], reached: Mapping[str, Reached], settings: Settings) -> list[str]:
    hosts = dict.fromkeys(
        host for reference in references for host in registry_hosts(reference, settings.registry_mirror)
    )
    return [f"{host} cannot be reached: {reached[host].reason}" for host in hosts]


def _explain(
    image: NeededImage, error: ImageUnavailableError, recipes: Mapping[str, Recipe | None]
) -> DevstackError:
    if error.reason != "registry" or recipes[image.reference] is not None:
        return error
    return SetupError(
        f"{error.message}, and there is no stand-in for it ({image.reason})",
        details=error.details,
        hint="Check the network, VPN and proxy (invoke doctor), set devstack.registry_mirror, "
        "or load the image from a file written by `docker save`: docker load -i FILE",
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
    target = image.reference

    def pull() -> str:
        engine.pull(
            target,
            platform=image.platform,
            on_progress=lambda progress: emit(progress.of(ACTION, target)),
        )
        return ""

    run_action(emit, ACTION, target, image.reason, pull)


def tell_replaceable(
    standins: Sequence[str], reached: Mapping[str, Reached], settings: Settings, emit: Emit
) -> None:
    """Says how to get the real images, once the registry of stand-ins answers again."""
    real = [reference for reference in standins if _answers(reference, reached, settings)]
    if real:
        say(
            emit,
            f"The registry answers again. Replace the stand-ins {', '.join(real)} with the real images: "
            "invoke pull && invoke up",
        )
