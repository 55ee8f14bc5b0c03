"""What `init` writes for Node.js, built and brought up with no edit.

Its base image is made of Debian's nodejs and npm, which takes one to three minutes, and packages come from
the npm registry: so this runs when DEVSTACK_NODE is set.
"""

from __future__ import annotations

import json
import os
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from invoke_devstack.engine.connect import connect
from invoke_devstack.errors import EngineUnavailableError, SetupError
from invoke_devstack.setup.machine import this_machine
from invoke_devstack.setup.standins.maker import make_standins
from invoke_devstack.setup.standins.recipes import CA_BUNDLE, Recipe
from tests.functional.conftest import Project
from tests.functional.machine.test_init import FIRST_UP, init, new_shape, page_of

pytestmark = [
    pytest.mark.timeout(900),
    pytest.mark.skipif(not os.environ.get("DEVSTACK_NODE"), reason="DEVSTACK_NODE is not set"),
]
IMAGE = "node:20-slim"
# As the official image: a user `node` with the id 1000. npm trusts the authorities that this machine trusts.
CUSTOMIZE = """\
#!/bin/sh
set -eu
useradd --uid 1000 --create-home --shell /bin/bash node
node --version >/dev/null
: >/standin/environment
"""
EXPRESS = {
    ".nvmrc": "20\n",
    "package.json": json.dumps(
        {
            "name": "shop",
            "version": "1.0.0",
            "scripts": {"dev": "node --watch server.js", "start": "node server.js"},
            "dependencies": {"ms": "2.1.3"},
        }
    ),
    "server.js": """
        const ms = require('ms')
        const text = `node, a day is ${ms('1d')} ms\\n`
        const server = require('http').createServer((request, response) => response.end(text))
        server.listen(process.env.PORT || 3000)
        process.on('SIGTERM', () => process.exit(0))
    """,
}


@dataclass(frozen=True, slots=True)
class NodeRecipe(Recipe):
    """Debian's Node.js, with a script of this test's own."""

    scripts: Path = Path()

    @property
    def folder(self) -> Path:
        return self.scripts


@pytest.fixture
def node_image(tmp_path: Path) -> Iterator[None]:
    """The image that what `init` writes is built from, removed afterwards unless it was here."""
    scripts = tmp_path / "scripts"
    scripts.mkdir()
    customize = scripts / "customize.sh"
    customize.write_text(CUSTOMIZE)
    customize.chmod(0o755)
    variables = f"NODE_EXTRA_CA_CERTS={CA_BUNDLE} NPM_CONFIG_CAFILE={CA_BUNDLE}"
    recipe = NodeRecipe(
        reference=IMAGE,
        suite="trixie",
        packages=("nodejs", "npm", "ca-certificates", "passwd"),
        changes=(f"ENV {variables}", 'CMD ["node"]'),
        scripts=scripts,
    )
    try:
        engine = connect()
    except EngineUnavailableError as error:
        pytest.skip(f"no engine: {error.message}")
    was_here = engine.find_image(IMAGE) is not None
    try:
        if not was_here:
            make_standins(this_machine(), engine, {IMAGE: recipe}, lambda event: None, cause="a test")
        yield
        if not was_here:
            engine.remove_image(IMAGE, force=True)
    except SetupError as error:
        pytest.skip(f"the image is not here, and cannot be made: {error.message}")
    finally:
        engine.close()


def test_what_init_writes_for_node_comes_up_with_no_edit(
    new_project: Callable[..., Project], node_image: None
) -> None:
    project = new_shape(new_project, EXPRESS)
    made = init(project, "--yes")
    assert made.code == 0, made.err
    up = project.invoke("up", "--detach", timeout=FIRST_UP)
    assert up.code == 0, up.err
    assert page_of(project) == "node, a day is 86400000 ms"
    assert project.invoke("ps", "--services", "--status", "running").out == "web\n"
    whoami = project.invoke("exec", "web", "id", "-un")
    assert whoami.out == "node\n"
    down = project.invoke("down")
    assert (down.code, "killed" in down.err) == (0, False), down.err
