"""The images of a deploy: built, pushed, and pinned to the digests that the nodes will pull."""

from __future__ import annotations

from typing import TYPE_CHECKING

from invoke_devstack.deploying.cluster import Cluster
from invoke_devstack.engine.images.references import DOCKER_HUB, Reference
from invoke_devstack.errors import EngineError, ImageUnavailableError
from invoke_devstack.events import Notice
from invoke_devstack.planning.deploys.image_checks import without_registry
from invoke_devstack.planning.deploys.service_spec import ImagePin
from invoke_devstack.running.session import Session

if TYPE_CHECKING:
    from invoke_devstack.definition.model import Definition


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
    local = [image for image, pin in found.items() if pin.local_id]
    if local:
        manager = str(cluster.swarm.state().get("NodeID"))
        text = without_registry(local, cluster.observe(), manager)
        session.emit(Notice(text=text, level="warning"))
    return found


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
