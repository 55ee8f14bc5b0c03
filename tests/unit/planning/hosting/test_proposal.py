"""What to add to a service so that it can run on this machine."""

from __future__ import annotations

from pathlib import Path

import pytest

from invoke_devstack.definition.model import Build, Definition, Service
from invoke_devstack.planning.hosting.proposal import proposed_block

SHOP = Definition(name="shop", working_dir=Path("/shop"))


def lines(service: Service, *instructions: str) -> tuple[str, ...]:
    return proposed_block(SHOP, service, instructions)[2:]


def test_the_command_is_that_of_the_dockerfile_and_the_folder_the_build_context() -> None:
    web = Service(name="web", build=Build(context="/shop/app"))
    assert lines(web, "FROM a", 'CMD ["python", "serve.py"]') == (
        "    command: python serve.py",
        "    working_dir: ./app",
    )


@pytest.mark.parametrize(
    ("instructions", "command"),
    [
        (["FROM a", "CMD npm start && echo"], '["sh", "-c", "npm start && echo"]'),
        (["FROM a", 'ENTRYPOINT ["node"]', 'cmd ["server.js", "--port=1"]'], "node server.js --port=1"),
        (["FROM a", 'CMD ["old"]', "FROM b"], "PROGRAM ARGUMENT…"),
        (["FROM a", 'CMD ["old"]', 'CMD ["new"]'], "new"),
        ([], "PROGRAM ARGUMENT…"),
    ],
)
def test_the_last_stage_decides(instructions: list[str], command: str) -> None:
    assert lines(Service(name="web", image="a"), *instructions) == (f"    command: {command}",)


def test_the_service_itself_comes_first() -> None:
    web = Service(name="web", command=("flask", "run"))
    assert lines(web, 'ENTRYPOINT ["tini", "--"]', 'CMD ["x"]') == ("    command: tini -- flask run",)
    alone = Service(name="web", entrypoint=("serve",))
    assert lines(alone, 'ENTRYPOINT ["tini", "--"]', 'CMD ["x"]') == ("    command: serve",)
