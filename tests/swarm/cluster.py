"""A Docker Swarm of several nodes on one machine: each node is an engine in a network namespace of its own,
with its own data, and a bridge in one more namespace joins them. A registry listens on this machine's side.

It needs root, `dockerd` and `ip`. Where the kernel has no IPVS, virtual addresses and the routing mesh do not
answer: stacks use `endpoint_mode: dnsrr` and ports in `mode: host` there.
"""

from __future__ import annotations

import os
import shutil
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import docker
from docker.errors import DockerException

from tests.busybox import busybox_root, static_busybox
from tests.functional.conftest import find_free_port

DATA = Path("/var/lib/devstack-swarm")
BUSYBOX = "devstack-test/busybox:1"
_PROGRAMS = f"/usr/sbin:{Path(sys.executable).parent}:{os.environ['PATH']}"
_START = 90.0  # seconds
_CLUSTERS = 10  # on one machine at once


def missing() -> str:
    """Why no cluster can be made here; "" if one can."""
    if os.getuid() != 0:
        return "it needs root"
    for name in ("dockerd", "ip", "nsenter", "unshare", "docker-registry", "busybox"):
        if not shutil.which(name, path=_PROGRAMS):
            return f"there is no {name}"
    space = f"dswtry{os.getpid()}"
    if _ip("netns", "add", space, check=False):
        return "network namespaces cannot be made here"
    vxlan = _ip("-n", space, "link", "add", "v", "type", "vxlan", "id", "42", "dstport", "4789", check=False)
    _ip("netns", "del", space, check=False)
    return "the kernel has no VXLAN, which overlay networks need" if vxlan else ""


class Cluster:
    """Nodes count from 1, which is the manager. Use it in a `with`."""

    def __init__(self, nodes: int, *, joined: bool = True) -> None:
        """`joined`: they make a swarm. Else each is an engine for itself, for which the registry is Docker
        Hub, and which reaches it at `everywhere`, as this machine does."""
        self.index = self._claim()
        self.count = nodes
        self.folder = DATA / str(self.index)
        self.subnet = f"10.97.{self.index}"
        self.registry = f"{self.subnet}.254:5000"
        self.joined = joined
        self.everywhere = f"127.0.0.1:{find_free_port()}"
        self._engines: dict[int, subprocess.Popen[bytes]] = {}
        self._registries: list[subprocess.Popen[bytes]] = []

    @staticmethod
    def _claim() -> int:
        """The creation of a namespace is for one caller only."""
        for index in range(_CLUSTERS):
            if _ip("netns", "add", f"dsw{index}net", check=False) == 0:
                return index
        raise RuntimeError("too many clusters on this machine")

    def __enter__(self) -> Cluster:
        try:
            self._start()
        except BaseException:
            self.close()
            raise
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def _start(self) -> None:
        shutil.rmtree(self.folder, ignore_errors=True)
        self.folder.mkdir(parents=True)
        self._make_bridge()
        for node in range(1, self.count + 1):
            self._make_namespace(node)
        self.start_registry()
        starts = [threading.Thread(target=self.revive, args=(node,)) for node in range(1, self.count + 1)]
        for start in starts:
            start.start()
        for start in starts:
            start.join()
        for node in range(1, self.count + 1):
            self._wait_until_it_answers(node)
        if self.joined:
            self._make_swarm()

    def _make_swarm(self) -> None:
        self.client(1).swarm.init(advertise_addr=f"{self.subnet}.1", listen_addr=f"{self.subnet}.1:2377")
        for node in range(2, self.count + 1):
            self.join(node)

    # nodes
    def url(self, node: int) -> str:
        return f"unix://{self.folder}/{node}/docker.sock"

    def address(self, node: int) -> str:
        return f"{self.subnet}.{node}"

    def client(self, node: int) -> docker.DockerClient:
        return docker.DockerClient(base_url=self.url(node), version="1.41", timeout=60)

    def inside(self, node: int, *words: str) -> list[str]:
        """The words of a command that runs in the network of a node."""
        return ["ip", "netns", "exec", self._space(node), *words]

    def join(self, node: int) -> None:
        """The node joins the swarm as a worker."""
        swarm = self.client(1).swarm
        swarm.reload()
        token, own = swarm.attrs["JoinTokens"]["Worker"], self.address(node)
        self.client(node).swarm.join([f"{self.address(1)}:2377"], token, advertise_addr=own, listen_addr=own)

    def leave(self, node: int) -> None:
        """The node leaves the swarm, which forgets it."""
        manager = self.client(1).api
        known = self.client(node).info()["Swarm"]["NodeID"]
        self.client(node).swarm.leave(force=True)
        manager.remove_node(known, force=True)

    def partition(self, node: int) -> None:
        """Cuts the node off the network."""
        _ip("-n", self._space(), "link", "set", f"b{node}", "down")

    def heal(self, node: int) -> None:
        _ip("-n", self._space(), "link", "set", f"b{node}", "up")

    def kill(self, node: int) -> None:
        """SIGKILL to the node's engine; its containers live on."""
        os.kill(self._pid(node), signal.SIGKILL)
        self._engines[node].wait(30)
        self._forget_containerd(node)

    def _forget_containerd(self, node: int) -> None:
        """It dies with its engine. Where another process has its number by the time the engine is back,
        Docker 20.10 waits for that one, and never answers."""
        file = self.folder / str(node) / "exec/containerd/containerd.pid"
        name = Path("/proc") / file.read_text("ascii") / "comm"
        until = time.monotonic() + _START
        with suppress(OSError):
            while name.read_text() == "containerd\n" and time.monotonic() < until:
                time.sleep(0.02)
        file.unlink()

    def revive(self, node: int) -> None:
        folder = self.folder / str(node)
        folder.mkdir(exist_ok=True)
        (folder / "pid").unlink(missing_ok=True)
        words = ["dockerd", "--data-root", f"{folder}/data", "--exec-root", f"{folder}/exec"]
        words += ["--pidfile", f"{folder}/pid", "-H", self.url(node), "--bip", f"172.29.{node}.1/24"]
        words += ["--default-address-pool", f"base=10.96.{node}.0/24,size=28"]
        words += ["--cgroup-parent", f"/devstack-swarm-{self.index}"]
        words += ["--insecure-registry", self.registry]
        words += [] if self.joined else ["--registry-mirror", f"http://{self.everywhere}"]
        script = f'hostname node{node}; exec "$@"'
        space = [
            "nsenter",
            f"--net=/run/netns/{self._space(node)}",
            "unshare",
            "--uts",
            "sh",
            "-c",
            script,
            "sh",
        ]
        with (folder / "log").open("ab") as log:
            environment = {**os.environ, "PATH": _PROGRAMS}
            self._engines[node] = subprocess.Popen(
                [*space, *words], stdin=subprocess.DEVNULL, stdout=log, stderr=log, env=environment,
                start_new_session=True,
            )  # fmt: skip
        self._wait_until_it_answers(node)

    def _wait_until_it_answers(self, node: int) -> None:
        until = time.monotonic() + _START
        while time.monotonic() < until:
            with suppress(DockerException, OSError):
                self.client(node).ping()
                return
            time.sleep(0.05)
        last = (self.folder / str(node) / "log").read_text("utf-8", "replace")[-2000:]
        raise TimeoutError(f"node {node} does not answer ({self._engines[node].poll()}): {last}")

    def _pid(self, node: int) -> int:
        return int((self.folder / str(node) / "pid").read_text("ascii"))

    # images
    def give_busybox(self, *nodes: int, name: str = BUSYBOX) -> None:
        """A small image with a shell, made from this machine's static busybox, on these nodes or all."""
        archive = busybox_root(static_busybox())
        for node in nodes or range(1, self.count + 1):
            repository, _, tag = name.rpartition(":")
            changes = ["ENV PATH=/bin", 'CMD ["sh"]']
            self.client(node).api.import_image_from_data(
                archive, repository=repository, tag=tag, changes=changes
            )

    def saved_busybox(self, name: str) -> bytes:
        """The small image of the first node as an archive, under a name that no node has."""
        manager = self.client(1)
        image = manager.images.get(f"{self.registry}/busybox:1")
        repository, _, tag = name.rpartition(":")
        image.tag(repository, tag)
        content = b"".join(manager.api.get_image(name))
        manager.api.remove_image(name)
        return content

    def load(self, archive: bytes, *nodes: int) -> None:
        for node in nodes:
            self.client(node).images.load(archive)

    @contextmanager
    def without_registry(self, node: int) -> Iterator[None]:
        """While entered, the node does not reach the registry; the others do."""
        route = ["-n", self._space(node), "route"]
        _ip(*route, "add", "unreachable", f"{self.subnet}.254/32")
        try:
            yield
        finally:
            _ip(*route, "del", "unreachable", f"{self.subnet}.254/32")

    def give(self, image: str, *nodes: int) -> None:
        """Brings an image over from the engine of this machine."""
        source = docker.from_env(timeout=300)
        content = b"".join(source.images.get(image).save(named=True))
        for node in nodes or range(1, self.count + 1):
            self.client(node).images.load(content)
        source.close()

    def start_registry(self) -> None:
        """The registry, on an address that all nodes reach; or on one that each node has as its own."""
        address = self.registry if self.joined else self.everywhere
        folder = self.folder / "registry"
        folder.mkdir(exist_ok=True)
        (self.folder / "registry.yml").write_text(
            f"version: 0.1\nlog: {{level: error}}\nstorage: {{filesystem: {{rootdirectory: {folder}}}}}\n"
            f"http: {{addr: '{address}'}}\n"
        )
        self._serve()
        for node in range(1, 1 if self.joined else self.count + 1):
            self._serve(*self.inside(node))
        host, _, port = address.partition(":")
        until = time.monotonic() + _START
        while True:
            with suppress(OSError), socket.create_connection((host, int(port)), timeout=5):
                return
            assert time.monotonic() < until, f"no registry answers at {address}"
            time.sleep(0.05)

    def _serve(self, *words: str) -> None:
        program = shutil.which("docker-registry", path=_PROGRAMS)
        assert program
        command = [*words, program, "serve", str(self.folder / "registry.yml")]
        started = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        self._registries.append(started)

    def stop_registry(self) -> None:
        while self._registries:
            registry = self._registries.pop()
            registry.terminate()
            registry.wait(30)

    # network
    def _space(self, node: int | None = None) -> str:
        return f"dsw{self.index}{'net' if node is None else f'n{node}'}"

    def _make_bridge(self) -> None:
        space, host = self._space(), f"dsw{self.index}h"
        _ip("-n", space, "link", "set", "lo", "up")
        _ip("-n", space, "link", "add", "sw0", "type", "bridge")
        _ip("-n", space, "link", "set", "sw0", "up")
        _ip("link", "add", host, "type", "veth", "peer", "name", "host", "netns", space)
        _ip("-n", space, "link", "set", "host", "master", "sw0", "up")
        _ip("addr", "add", f"{self.subnet}.254/24", "dev", host)
        _ip("link", "set", host, "up")

    def _make_namespace(self, node: int) -> None:
        space, net = self._space(node), self._space()
        _ip("netns", "add", space)
        _ip("-n", space, "link", "set", "lo", "up")
        _ip("-n", net, "link", "add", f"b{node}", "type", "veth", "peer", "name", "eth0", "netns", space)
        _ip("-n", net, "link", "set", f"b{node}", "master", "sw0", "up")
        _ip("-n", space, "addr", "add", f"{self.address(node)}/24", "dev", "eth0")
        _ip("-n", space, "link", "set", "eth0", "up")
        _ip("-n", space, "route", "add", "default", "via", f"{self.subnet}.254")

    # the end
    def close(self) -> None:
        for node in self._engines:
            self._end_engine(node)
        self.stop_registry()
        for node in range(1, self.count + 1):
            _ip("netns", "del", self._space(node), check=False)
        _ip("link", "del", f"dsw{self.index}h", check=False)
        self._unmount()
        shutil.rmtree(self.folder, ignore_errors=True)
        for group in Path("/sys/fs/cgroup").glob(f"*/devstack-swarm-{self.index}"):
            with suppress(OSError):
                group.rmdir()
        _ip("netns", "del", self._space(), check=False)

    def _end_engine(self, node: int) -> None:
        engine = self._engines[node]
        with suppress(DockerException, OSError):
            self.client(node).swarm.leave(force=True)
            for container in self.client(node).api.containers(all=True):
                self.client(node).api.remove_container(container["Id"], force=True)
        with suppress(OSError, ValueError):
            os.kill(self._pid(node), signal.SIGTERM)
        try:
            engine.wait(30)
        except subprocess.TimeoutExpired:
            os.killpg(engine.pid, signal.SIGKILL)
            engine.wait()

    def _unmount(self) -> None:
        mounts = [line.split()[1] for line in Path("/proc/self/mounts").read_text().splitlines()]
        for mount in sorted((item for item in mounts if item.startswith(f"{self.folder}/")), reverse=True):
            subprocess.run(["umount", "--lazy", mount], check=False)


def _ip(*words: str, check: bool = True) -> int:
    done = subprocess.run(["ip", *words], check=False, capture_output=True, text=True)
    if check and done.returncode:
        raise RuntimeError(f"ip {' '.join(words)}: {done.stderr.strip()}")
    return done.returncode


if __name__ == "__main__":  # a cluster to try things on, until Ctrl-C
    with Cluster(int(sys.argv[1]) if len(sys.argv) > 1 else 3) as cluster:
        cluster.give_busybox()
        for number in range(1, cluster.count + 1):
            print(f"DOCKER_HOST={cluster.url(number)}", flush=True)
        print(f"registry {cluster.registry}", flush=True)
        with suppress(KeyboardInterrupt):
            signal.pause()
