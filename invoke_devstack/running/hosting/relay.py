"""Finds an image that can run `relay.sh`: one that the stack has already, so that no registry is needed."""

from __future__ import annotations

import secrets
import sys
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING

from invoke_devstack.errors import DevstackError, EngineError, EngineUnavailableError, NotFoundError
from invoke_devstack.planning import labels
from invoke_devstack.planning.hosting.forwarder import Relay
from invoke_devstack.planning.processes.image import is_process

if TYPE_CHECKING:
    from invoke_devstack.definition.model import Definition
    from invoke_devstack.engine.protocol import Engine
    from invoke_devstack.planning.observed import Observed

_OTHER_IMAGES = 10  # at most so many images that no service of the stack uses are tried


def find_relay(definition: Definition, engine: Engine, observed: Observed) -> Relay:
    """The image that the forwarders have now, else the first that can run them. Raises DevstackError."""
    for image in _candidates(definition, engine, observed):
        found = engine.find_image(image)
        if found is not None and (_forwards_now(observed, image) or _can_relay(engine, definition, image)):
            return Relay(image, words(), found.volumes, desktop=sys.platform != "linux")
    raise DevstackError(
        "no local image can forward to a process: none has Python, Perl, Node.js or socat",
        hint="Pull one that has: `docker pull alpine/socat`.",
    )


def words() -> tuple[str, ...]:
    """The command of a forwarder, before its routes."""
    script = Path(__file__).with_name("relay.sh").read_text(encoding="utf-8")
    return ("sh", "-c", script, "relay")


def _forwards_now(observed: Observed, image: str) -> bool:
    return any(labels.FORWARDER in item.labels and item.image == image for item in observed.containers)


def _candidates(definition: Definition, engine: Engine, observed: Observed) -> Iterator[str]:
    """The forwarders' own image, those of the stack, then any."""
    now = [item.image for item in observed.containers if labels.FORWARDER in item.labels]
    services = (service for service in definition.all_services.values() if not is_process(service))
    own = [service.image_name(definition.name) for service in services]
    yield from dict.fromkeys([*now, *own])
    tags = [tag for entry in engine.list_images({}) for tag in entry.get("RepoTags") or ()]
    yield from [tag for tag in tags if not tag.startswith("<none>") and tag not in own][:_OTHER_IMAGES]


def _can_relay(engine: Engine, definition: Definition, image: str) -> bool:
    """Whether the script finds a program in the image: it looks, and exits."""
    body = {
        "Image": image,
        "Entrypoint": list(words()),
        "Cmd": [],
        "User": "0:0",
        "Labels": {labels.PROJECT: definition.name, labels.ONEOFF: "True"},
        "HostConfig": {"NetworkMode": "none", "CapDrop": ["ALL"], "ReadonlyRootfs": True},
    }
    container = engine.create_container(f"{definition.name}-relay-{secrets.token_hex(4)}", body)
    try:
        engine.start(container)
        return engine.wait(container, timeout=30) == 0
    except EngineUnavailableError:
        raise
    except (EngineError, TimeoutError):
        return False
    finally:
        with suppress(NotFoundError):
            engine.remove_container(container, force=True)
