"""The images of a deploy: built, pushed, and pinned to the digests that the nodes will pull."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from invoke_devstack.deploying.cluster import Cluster
from invoke_devstack.engine.images.references import DOCKER_HUB, Reference
from invoke_devstack.errors import EngineError, ImageUnavailableError, NotFoundError
from invoke_devstack.events import Notice
from invoke_devstack.planning.deploys.image_checks import without_registry
from invoke_devstack.planning.deploys.service_spec import Holding, ImagePin
from invoke_devstack.running.session import Session

if TYPE_CHECKING:
    from invoke_devstack.definition.model import Definition
    from invoke_devstack.engine.docker_engine import DockerEngine


def build_and_push(session: Session) -> None:
    """Builds what has a `build`, and pushes what has a registry in its name."""
    from invoke_devstack.running.images.build import build_images, push
    from invoke_devstack.running.options import BuildOptions

    built = {name: item for name, item in session.definition.services.items() if item.build is not None}
    if not built:
        return
    build_images(session, BuildOptions(services=tuple(built)))
    pushed = tuple(
        name for name, item in built.items() if can_be_pushed(item.image_name(session.definition.name))
    )
    if pushed:
        push(session, pushed)


def can_be_pushed(image: str) -> bool:
    """Whether the name has a registry, or an account on Docker Hub: nobody pushes to Docker Hub's own."""
    reference = Reference.parse(image)
    return reference.registry != DOCKER_HUB or not reference.path.startswith("library/")


def images_of(definition: Definition) -> tuple[str, ...]:
    """The images of all services, each once."""
    found = (service.image_name(definition.name) for service in definition.services.values())
    return tuple(dict.fromkeys(found))


def pins(cluster: Cluster, session: Session) -> dict[str, ImagePin]:
    """Each image -> what the nodes will run. Raises ImageUnavailableError for one that neither a registry nor
    the manager has."""
    pool = cluster.engine.pool
    images = images_of(session.definition)
    results = {image: pool.submit(_pin, cluster, image) for image in images}
    found = {image: result.result() for image, result in results.items()}
    local = {image: pin for image, pin in found.items() if pin.local_id}
    if local:
        local = _on_other_nodes(cluster, local)
        text = without_registry(local, cluster.observe(), cluster.node_id())
        session.emit(Notice(text=text, level="warning"))
    return {**found, **local}


def _on_other_nodes(cluster: Cluster, local: Mapping[str, ImagePin]) -> dict[str, ImagePin]:
    """With what the nodes have that a context reaches. A manager knows nothing about the images of others."""
    reached = cluster.other_nodes().values()
    own = {image: cluster.engine.inspect_image(image) for image in local}
    found: dict[str, ImagePin] = {}
    for image, pin in local.items():
        held = {item.node: _held(item.engine, image, own[image]) for item in reached}
        found[image] = replace(pin, on_nodes={node: what for node, what in held.items() if what})
    return found


def _held(engine: DockerEngine, image: str, own: Mapping[str, Any]) -> Holding | None:
    """What an engine has in place of the manager's image; None if it does not say."""
    try:
        there = engine.inspect_image(image)
    except NotFoundError:
        return Holding.NONE
    except EngineError:
        return None
    return Holding.SAME if _content(there) == _content(own) or there["Id"] == own["Id"] else Holding.OTHER


def _content(image: Mapping[str, Any]) -> object:
    """Not the id: an engine with containerd's image store calls the same image by another one."""
    config = image.get("Config") or {}
    runs = [config.get(key) for key in ("Entrypoint", "Cmd", "Env", "User", "WorkingDir")]
    return ((image.get("RootFS") or {}).get("Layers"), image.get("Created"), runs)


def _pin(cluster: Cluster, image: str) -> ImagePin:
    reference = Reference.parse(image)
    if reference.digest:
        return ImagePin(image)
    try:
        published = cluster.swarm.published(image)
        return ImagePin(f"{image_with_tag(image)}@{published.digest}", published.platforms)
    except ImageUnavailableError as error:
        local = _local_id(cluster, image)
        if not local:
            raise
        if error.reason in ("denied", "tls", "rate-limit") and can_be_pushed(image):
            raise
        return ImagePin(image_with_tag(image), local_id=local)


def image_with_tag(image: str) -> str:
    reference = Reference.parse(image)
    return f"{reference.name}:{reference.tag}"


def _local_id(cluster: Cluster, image: str) -> str:
    try:
        return str(cluster.engine.inspect_image(image).get("Id") or "")
    except EngineError:
        return ""
