"""Makes stand-ins, in parallel, and hands them to the engine."""

from __future__ import annotations

import shutil
import tempfile
import time
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from invoke_devstack.engine.protocol import Engine
from invoke_devstack.errors import DevstackError, SetupError
from invoke_devstack.events import ActionFailed, ActionFinished, ActionProgress, ActionStarted, Emit
from invoke_devstack.planning.labels import STAND_IN
from invoke_devstack.setup.commands import ask_command
from invoke_devstack.setup.machine import Machine, install_packages
from invoke_devstack.setup.standins.certificates import read_host_certificates
from invoke_devstack.setup.standins.mirror import (
    APT_PROXIES,
    INDEX_TARGETS,
    Mirror,
    choose_mirror,
    read_proxies,
)
from invoke_devstack.setup.standins.recipes import Recipe
from invoke_devstack.setup.standins.rootfs import make_rootfs

ACTION = "stand-in"


def make_standins(
    machine: Machine, engine: Engine, wanted: dict[str, Recipe], emit: Emit, *, cause: str
) -> None:
    """Makes the stand-ins of `wanted` (reference asked for -> recipe) and gives them those references.

    Raises SetupError on a machine that has no Debian mirror or no root, or when one cannot be made;
    the others are finished all the same.
    """
    if not wanted:
        return
    mirror = prepare_tools(machine, sorted(wanted))
    certificates = read_host_certificates()
    asked: dict[Recipe, list[str]] = {}
    for reference, recipe in wanted.items():
        asked.setdefault(recipe, []).append(reference)

    def make(recipe: Recipe) -> None:
        _Maker(machine, engine, mirror, certificates, emit).make(recipe, asked[recipe], cause)

    with ThreadPoolExecutor(len(asked)) as pool:
        for result in [pool.submit(make, recipe) for recipe in asked]:
            result.result()


def prepare_tools(machine: Machine, references: Sequence[str]) -> Mirror:
    """The mirror that this machine's apt uses; mmdebstrap is installed where it is missing."""
    names = ", ".join(references)
    by_hand = (
        "Connect to a network that reaches the registry, set `devstack.registry_mirror`, "
        "or load the images from a file: docker load -i FILE"
    )
    if not machine.can_install:
        raise SetupError(
            f"no registry answers, and stand-ins for {names} can be made only on Debian or Ubuntu, as root",
            hint=by_hand,
        )
    if shutil.which("mmdebstrap") is None:
        install_packages(machine, "mmdebstrap", failure="mmdebstrap could not be installed")
    address = choose_mirror(
        ask_command(INDEX_TARGETS) or "", system=machine.system.id, codename=machine.system.codename
    )
    if not address:
        raise SetupError(
            f"no registry answers, and this machine's apt knows no Debian mirror to make {names} from",
            hint=by_hand,
        )
    return Mirror(address, read_proxies((ask_command(APT_PROXIES) or "").splitlines()))


class _Maker:
    """Makes one stand-in and tells how far it is."""

    def __init__(
        self, machine: Machine, engine: Engine, mirror: Mirror, certificates: Sequence[str], emit: Emit
    ) -> None:
        self._machine = machine
        self._engine = engine
        self._mirror = mirror
        self._certificates = certificates
        self._emit = emit

    def make(self, recipe: Recipe, references: Sequence[str], cause: str) -> None:
        target, began = references[0], time.monotonic()
        self._emit(ActionStarted(action=ACTION, target=target, cause=cause))
        try:
            with tempfile.TemporaryDirectory(prefix="devstack-standin-") as folder:
                Path(folder).chmod(0o755)
                self._build_and_import(recipe, references, Path(folder))
        except DevstackError as error:
            seconds = time.monotonic() - began
            self._emit(ActionFailed(action=ACTION, target=target, seconds=seconds, error=error.message))
            raise
        text = f"from Debian's packages ({recipe.suite})"
        self._emit(ActionFinished(action=ACTION, target=target, seconds=time.monotonic() - began, text=text))

    def _build_and_import(self, recipe: Recipe, references: Sequence[str], folder: Path) -> None:
        def tell(step: str) -> None:
            self._emit(ActionProgress(action=ACTION, target=references[0], text=step))

        archive, variables = make_rootfs(
            self._machine, recipe, self._mirror, self._certificates, folder, tell
        )
        tell("handing it to the engine")
        changes = image_changes(recipe, references[0], variables)
        with archive.open("rb") as stream:
            image = self._engine.import_image(stream, references[0], changes=changes)
        for reference in references[1:]:
            self._engine.tag_image(image, reference)


def image_changes(recipe: Recipe, reference: str, variables: Sequence[str]) -> tuple[str, ...]:
    """The Dockerfile instructions that make an image of the root file system."""
    path = "ENV PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"
    found = [f"ENV {variable}" for variable in variables]
    label = f'LABEL {STAND_IN}="{reference}" dev.invoke-devstack.suite="{recipe.suite}"'
    return (path, *found, label, *recipe.changes)
