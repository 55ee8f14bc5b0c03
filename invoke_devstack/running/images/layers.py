"""The layers of images, and the space that removing an image would free."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from invoke_devstack.engine.protocol import Engine
from invoke_devstack.errors import NotFoundError

Chain = tuple[str, ...]
"""A layer and all layers below it, as digests: an engine stores it once, however many images share it
(OCI Image Specification, "Layer ChainID")."""

_METADATA = re.compile(
    r"(ENV|CMD|EXPOSE|USER|ENTRYPOINT|LABEL|ARG|HEALTHCHECK|MAINTAINER|STOPSIGNAL|SHELL|ONBUILD|VOLUME)\b"
)
_NOT_RUN = "#(nop)"


@dataclass(frozen=True, slots=True)
class Layer:
    """One step of an image's history. `chain` is empty for a step that changed no file; `size` in bytes."""

    instruction: str
    size: int
    chain: Chain = ()

    @property
    def digest(self) -> str:
        return self.chain[-1] if self.chain else ""


def layers_of(engine: Engine, image: str) -> tuple[Layer, ...]:
    """The image's layers, the base first. Raises NotFoundError."""
    return match_layers(engine.image_history(image), digests_of(engine.inspect_image(image)))


def chains_of(digests: Sequence[str]) -> tuple[Chain, ...]:
    """Each layer with all layers below it."""
    return tuple(tuple(digests[: end + 1]) for end in range(len(digests)))


def digests_of(inspected: Mapping[str, Any]) -> tuple[str, ...]:
    """The digests of an inspected image's layers."""
    return tuple((inspected.get("RootFS") or {}).get("Layers") or ())


def match_layers(history: Sequence[Mapping[str, Any]], digests: Sequence[str]) -> tuple[Layer, ...]:
    """Each step of the history (newest first, as the engine returns it) with the layer it created.

    The engine does not say which steps created one. Those that only describe the image never do; a WORKDIR
    that already existed does not either, so it is the first candidate to be dropped.
    """
    steps = tuple(reversed(history))
    instructions = [_instruction(str(step["CreatedBy"] or "")) for step in steps]
    able = [index for index, text in enumerate(instructions) if steps[index]["Size"] or _may_create(text)]
    spare = len(able) - len(digests)
    for index in sorted(able, key=lambda item: (bool(steps[item]["Size"]), _rank(instructions[item]))):
        if spare > 0:
            able.remove(index)
            spare -= 1
    chains = dict(zip(able, chains_of(digests), strict=False))
    return tuple(
        Layer(text, int(step["Size"]), chains.get(index, ()))
        for index, (step, text) in enumerate(zip(steps, instructions, strict=True))
    )


def _instruction(text: str) -> str:
    """The classic builder writes `/bin/sh -c #(nop)  CMD ["x"]` and `/bin/sh -c make`, BuildKit `CMD ["x"]`
    and `RUN /bin/sh -c make # buildkit`."""
    text = text.removesuffix("# buildkit").strip()
    if _NOT_RUN in text:
        return " ".join(text.partition(_NOT_RUN)[2].split())
    for shell in ("RUN /bin/sh -c ", "/bin/sh -c "):
        if text.startswith(shell):
            return f"RUN {text.removeprefix(shell)}"
    return text or "(an imported root file system)"


def _may_create(instruction: str) -> bool:
    return not _METADATA.match(instruction)


def _rank(instruction: str) -> int:
    return 0 if instruction.startswith("WORKDIR") else 1


@dataclass(frozen=True, slots=True)
class Holder:
    """An image on the engine. `names` may be empty."""

    image_id: str
    names: tuple[str, ...]
    chains: frozenset[Chain]


def holders(engine: Engine) -> tuple[Holder, ...]:
    """Every image on the engine, with its layers."""
    return tuple(_every_image(engine))


def freed(engine: Engine, doomed: Iterable[str]) -> dict[str, int]:
    """Image id -> the bytes that removing it frees: of its layers that no remaining image has. A layer that
    two of `doomed` share is counted for the first of them."""
    ids = tuple(doomed)
    kept = {chain for holder in holders(engine) if holder.image_id not in ids for chain in holder.chains}
    result: dict[str, int] = {}
    for image_id in ids:
        going = [layer for layer in layers_of(engine, image_id) if layer.chain and layer.chain not in kept]
        kept |= {layer.chain for layer in going}
        result[image_id] = sum(layer.size for layer in going)
    return result


def _every_image(engine: Engine) -> Iterator[Holder]:
    for listed in engine.list_images({}):
        try:
            inspected = engine.inspect_image(listed["Id"])
        except NotFoundError:  # removed by somebody else in the meantime
            continue
        names = tuple(name for name in listed.get("RepoTags") or () if name != "<none>:<none>")
        yield Holder(listed["Id"], names, frozenset(chains_of(digests_of(inspected))))
