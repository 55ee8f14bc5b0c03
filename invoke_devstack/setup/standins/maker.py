"""Builds stand-ins, in parallel, and imports them into the engine."""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from invoke_devstack.engine.protocol import Engine
from invoke_devstack.errors import SetupError
from invoke_devstack.events import ActionProgress, Emit
from invoke_devstack.planning.labels import STAND_IN
from invoke_devstack.setup.commands import ask_command
from invoke_devstack.setup.machine import Machine, install_packages
from invoke_devstack.setup.reporting import run_action
from invoke_devstack.setup.standins.certificates import read_host_certificates
from invoke_devstack.setup.standins.recipes import Recipe
from invoke_devstack.setup.standins.rootfs import (
    APT_PROXIES,
    INDEX_TARGETS,
    Mirror,
    choose_mirror,
    make_rootfs,
    read_proxies,
)

ACTION = "stand-in"


def make_standins(
    machine: Machine, engine: Engine, wanted: dict[str, Recipe], emit: Emit, *, cause: str
) -> None:
    """Builds the stand-ins of `wanted` (reference -> recipe) and tags them with the references.

    Raises SetupError without a Debian mirror or root, or if one fails; the others are finished first.
    """
    if not wanted:
        return
    mirror = prepare_tools(machine, sorted(wanted))
    certificates = read_host_certificates()
    asked: dict[Recipe, list[str]] = {}
    for reference, recipe in wanted.items():
        asked.setdefault(recipe, []).append(reference)

    def make(recipe: Recipe) -> None:
        def build() -> str:
            _build_and_import(machine, engine, recipe, asked[recipe], mirror, certificates, emit)
            return f"from Debian packages ({recipe.suite})"

        run_action(emit, ACTION, asked[recipe][0], cause, build)

    with ThreadPoolExecutor(len(asked)) as pool:
        for result in [pool.submit(make, recipe) for recipe in asked]:
            result.result()


def prepare_tools(machine: Machine, references: Sequence[str]) -> Mirror:
    """The mirror that this machine's apt uses. Installs mmdebstrap if it is missing."""
    names = ", ".join(references)
    by_hand = (
        "Use a network that reaches the registry, set devstack.registry_mirror, "
        "or load the images from a file: docker load -i FILE"
    )
    if not machine.can_install:
        raise SetupError(
            f"no registry answers, and stand-ins for {names} can only be built on Debian or Ubuntu, as root",
            hint=by_hand,
        )
    if shutil.which("mmdebstrap") is None:
        install_packages(machine, "mmdebstrap", failure="mmdebstrap cannot be installed")
    address = choose_mirror(
        ask_command(INDEX_TARGETS) or "", system=machine.system.id, codename=machine.system.codename
    )
    if not address:
        raise SetupError(
            f"no registry answers, and apt has no Debian mirror to build stand-ins for {names} from",
            hint=by_hand,
        )
    return Mirror(address, read_proxies((ask_command(APT_PROXIES) or "").splitlines()))


def _build_and_import(
    machine: Machine,
    engine: Engine,
    recipe: Recipe,
    references: Sequence[str],
    mirror: Mirror,
    certificates: Sequence[str],
    emit: Emit,
) -> None:
    def tell(step: str) -> None:
        emit(ActionProgress(action=ACTION, target=references[0], text=step))

    with tempfile.TemporaryDirectory(prefix="devstack-standin-") as name:
        folder = Path(name)
        folder.chmod(0o755)
        archive, variables = make_rootfs(machine, recipe, mirror, certificates, folder, tell)
        tell("importing the image")
        changes = image_changes(recipe, references[0], variables)
        with archive.open("rb") as stream:
            image = engine.import_image(stream, references[0], changes=changes)
        for reference in references[1:]:
            engine.tag_image(image, reference)


def image_changes(recipe: Recipe, reference: str, variables: Sequence[str]) -> tuple[str, ...]:
    """The Dockerfile instructions that turn the root file system into an image."""
    path = "ENV PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"
    found = [f"ENV {variable}" for variable in variables]
    label = f'LABEL {STAND_IN}="{reference}" dev.invoke-devstack.suite="{recipe.suite}"'
    return (path, *found, label, *recipe.changes)
