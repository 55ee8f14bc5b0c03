"""500 saves of every kind, at random times and in random order, over several services."""

from __future__ import annotations

import io
import os
import random
import shutil
import tarfile
import threading
import time
from collections.abc import Iterator
from functools import partial
from pathlib import Path

import pytest

from invoke_devstack.engine.docker_engine import DockerEngine
from invoke_devstack.errors import NotFoundError
from invoke_devstack.events import WatchFailed
from tests.engine.running.watch.watch_stack import WatchedStack

SERVICES = ("one", "two", "three")
SAVES = 500
Tree = dict[str, bytes | str | None]


@pytest.fixture
def stack(engine: DockerEngine, busybox: str, project: str, tmp_path: Path) -> Iterator[WatchedStack]:
    services = "".join(
        f"  {name}:\n    image: {busybox}\n    init: true\n    command: [sleep, '1000']\n"
        f"    develop: {{watch: [{{path: ./{name}, action: sync, target: /app}}]}}\n"
        for name in SERVICES
    )
    (tmp_path / "compose.yaml").write_text(f"name: {project}\nservices:\n{services}")
    for name in SERVICES:
        (tmp_path / name).mkdir()
    found = WatchedStack(engine, tmp_path)
    found.up()
    yield found
    found.stop()


@pytest.mark.slow
@pytest.mark.timeout(600)
def test_after_500_saves_both_sides_are_equal_and_nothing_has_grown(stack: WatchedStack) -> None:
    stack.watch()
    chance = random.Random(7)
    save_at_random(stack.directory, chance, 100)  # what is made once is made now
    await_equal(stack)
    threads, memory = threading.active_count(), resident_bytes()
    save_at_random(stack.directory, chance, SAVES)
    await_equal(stack)
    assert stack.of(WatchFailed) == []
    stack.forget()
    time.sleep(1)
    assert threading.active_count() <= threads + 1
    assert resident_bytes() - memory < 4 * 1024 * 1024


def save_at_random(directory: Path, chance: random.Random, count: int) -> None:
    for _ in range(count):
        root = directory / chance.choice(SERVICES)
        act_at_random(root, chance)
        if chance.random() < 0.5:
            time.sleep(chance.random() * 0.08)


def act_at_random(root: Path, chance: random.Random) -> None:
    """One of: save, save by renaming, link, change the mode, rename, delete."""
    folder = root / chance.choice(("", "a", "a/b", "c"))
    file = folder / f"f{chance.randrange(12)}"
    kind = chance.randrange(10)
    if kind < 4 or not file.parent.is_dir():
        folder.mkdir(parents=True, exist_ok=True)
        remove(file)
        file.write_bytes(chance.randbytes(chance.randrange(3000)))
    elif kind == 4:
        temporary = folder / f"tmp{chance.randrange(1000)}"
        temporary.write_bytes(chance.randbytes(200))
        if file.is_dir():
            remove(file)
        temporary.rename(file)
    elif kind == 5:
        remove(file)
        file.symlink_to(f"f{chance.randrange(12)}")
    elif kind == 6 and file.is_file() and not file.is_symlink():
        file.chmod(chance.choice((0o600, 0o644, 0o755)))
    elif kind == 7 and os.path.lexists(file):
        target = folder / f"f{chance.randrange(12)}"
        if not target.is_dir() and not file.is_dir():
            file.rename(target)
    elif kind == 8:
        remove(file)
    elif kind == 9 and folder != root:
        moved = root / f"moved{chance.randrange(3)}"
        remove(moved)
        folder.rename(moved)


def remove(path: Path) -> None:
    if path.is_dir() and not path.is_symlink():
        shutil.rmtree(path)
    else:
        path.unlink(missing_ok=True)


def await_equal(stack: WatchedStack) -> None:
    for name in SERVICES:
        stack.await_(partial(are_equal, stack, name), f"{name}: {difference(stack, name)}")


def are_equal(stack: WatchedStack, name: str) -> bool:
    return host_tree(stack.directory / name) == container_tree(stack, name)


def difference(stack: WatchedStack, name: str) -> list[str]:
    host, container = host_tree(stack.directory / name), container_tree(stack, name) or {}
    return [path for path in sorted({*host, *container}) if host.get(path, 0) != container.get(path, 0)]


def host_tree(root: Path) -> Tree:
    """Relative path -> content of a file, with its mode; target of a link; None for a directory."""
    found: Tree = {}
    for path in root.rglob("*"):
        name = str(path.relative_to(root))
        if path.is_symlink():
            found[name] = str(path.readlink())
        elif path.is_dir():
            found[name] = None
        else:
            found[name] = oct(path.stat().st_mode & 0o777).encode() + path.read_bytes()
    return found


def container_tree(stack: WatchedStack, service: str) -> Tree | None:
    """None while it changes: the engine cuts its archive off where a file changes as it reads it."""
    try:
        _, chunks = stack.engine.get_archive(stack.container(service), "/app")
        return tree_in(b"".join(chunks))
    except NotFoundError:
        return {}
    except tarfile.ReadError:
        return None


def tree_in(packed: bytes) -> Tree:
    found: Tree = {}
    with tarfile.open(fileobj=io.BytesIO(packed)) as archive:
        for member in archive:
            name = member.name.partition("/")[2].rstrip("/")
            if not name:
                continue
            if member.issym():
                found[name] = member.linkname
            elif member.isdir():
                found[name] = None
            else:
                content = archive.extractfile(member)
                assert content is not None
                found[name] = oct(member.mode & 0o777).encode() + content.read()
    return found


def resident_bytes() -> int:
    pages = int(Path("/proc/self/statm").read_text().split()[1])
    return pages * os.sysconf("SC_PAGE_SIZE")
