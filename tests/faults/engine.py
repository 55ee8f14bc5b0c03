"""An engine of the faults' own, that may be stopped, killed, frozen and given a full disk.

It runs inside the namespaces that `isolation` made, so that its bridges, its firewall rules, its mounts
and its processes are no other engine's, and are gone when the harness ends.
"""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import time
from contextlib import suppress
from pathlib import Path

import docker
import psutil
from docker.errors import DockerException

from tests.busybox import busybox_root, static_busybox

BUSYBOX = "devstack-test/busybox:1"
_CGROUPS = "devstack-faults"
_START = 60.0  # seconds
_STOP = 40.0
# Engine 20.10, ended while it writes a network down, may be unable to start: it panics in this function.
_BROKEN_NETWORKS = b"libnetwork.(*controller).reservePools"


class EndedError(Exception):
    """The engine's process ended instead of answering."""


class OwnEngine:
    """`programs`: the folder of dockerd and containerd, where they are not those on PATH."""

    def __init__(self, folder: Path, programs: str = "", disk: str = "4g") -> None:
        self.data = folder / "data"
        self.url = f"unix://{folder}/engine.sock"
        self._folder = folder
        self._programs = programs
        self._disk = disk
        self._kept = {BUSYBOX}
        self._process: subprocess.Popen[bytes] | None = None
        self._client: docker.DockerClient | None = None
        self.networks_lost = 0  # how often the engine could start only without its list of networks
        self.data.mkdir()
        subprocess.run(["mount", "-t", "tmpfs", "-o", f"size={disk}", "tmpfs", str(self.data)], check=True)

    @property
    def client(self) -> docker.DockerClient:
        if self._client is None:
            self._client = docker.DockerClient(base_url=self.url, version="1.41", timeout=90)
        return self._client

    @property
    def pid(self) -> int:
        assert self._process is not None
        return self._process.pid

    def start(self) -> None:
        """Starts the engine; one that cannot read its own list of networks starts without it."""
        began = self._log_size()
        self._start_process()
        try:
            self._wait_until_it_answers()
        except EndedError:
            if _BROKEN_NETWORKS not in self._log.read_bytes()[began:]:
                raise
            (self.data / "network/files/local-kv.db").unlink()
            self.networks_lost += 1
            self._start_process()
            self._wait_until_it_answers()

    @property
    def _log(self) -> Path:
        return self._folder / "engine.log"

    def _log_size(self) -> int:
        return self._log.stat().st_size if self._log.exists() else 0

    def _start_process(self) -> None:
        path = os.pathsep.join(filter(None, (self._programs, "/usr/sbin", os.environ["PATH"])))
        (self._folder / "engine.pid").unlink(missing_ok=True)  # of one that was killed
        words = ["dockerd", "--data-root", str(self.data), "--exec-root", str(self._folder / "exec")]
        words += ["--pidfile", str(self._folder / "engine.pid"), "-H", self.url, "--bip", "10.211.0.1/24"]
        words += ["--cgroup-parent", f"/{_CGROUPS}", "--default-address-pool", "base=10.212.0.0/16,size=24"]
        words[0] = shutil.which("dockerd", path=path) or "dockerd"
        with self._log.open("ab") as log:
            environment = {**os.environ, "PATH": path}
            self._process = subprocess.Popen(words, stdout=log, stderr=log, env=environment)

    def _wait_until_it_answers(self) -> None:
        until = time.monotonic() + _START
        while time.monotonic() < until:
            with suppress(DockerException, OSError):
                self.client.ping()
                return
            if self._process is not None and self._process.poll() is not None:
                raise EndedError(f"the engine ended with code {self._process.returncode}; see {self._log}")
            time.sleep(0.05)
        raise TimeoutError(f"the engine does not answer; see {self._log}")

    def stop(self, number: signal.Signals = signal.SIGTERM) -> None:
        """Ends the engine; by SIGKILL its containers outlive it until it is started again."""
        assert self._process is not None
        self._process.send_signal(number)
        try:
            self._process.wait(_STOP)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()

    def ensure(self) -> None:
        """Starts the engine where it does not run, and lets it go on where it was frozen."""
        self.resize(self._disk)
        if self._process is None or self._process.poll() is not None:
            self.start()
        else:
            self._process.send_signal(signal.SIGCONT)
            self._wait_until_it_answers()

    def freeze(self) -> None:
        os.kill(self.pid, signal.SIGSTOP)

    def thaw(self) -> None:
        os.kill(self.pid, signal.SIGCONT)

    def resize(self, size: str) -> None:
        """Gives the disk another size: `4g`, or bytes."""
        subprocess.run(["mount", "-o", f"remount,size={size}", str(self.data)], check=True)

    def leave_free(self, size: int) -> None:
        """Makes the disk so small that `size` bytes are free. What writes meanwhile may need another try."""
        for _ in range(50):
            with suppress(subprocess.CalledProcessError):
                self.resize(str(self.used() + size))
                return
        raise TimeoutError("the disk fills faster than it can be made smaller")

    def used(self) -> int:
        """Bytes on the engine's disk."""
        return shutil.disk_usage(self.data).used

    def processes(self) -> list[psutil.Process]:
        """Everything in these namespaces except the harness and what started it."""
        kept = {os.getpid(), *(item.pid for item in psutil.Process().parents())}
        return [item for item in psutil.process_iter() if item.pid not in kept]

    def import_busybox(self) -> None:
        """A small image with a shell, made from this machine's static busybox."""
        repository, tag = BUSYBOX.split(":")
        changes = ["ENV PATH=/bin", 'CMD ["sh"]']
        self.client.api.import_image_from_data(
            busybox_root(static_busybox()), repository=repository, tag=tag, changes=changes
        )

    def copy_images(self, *names: str) -> None:
        """Brings images over from the engine of this machine; those that it has not are left out."""
        source = docker.from_env(timeout=300)
        for name in names:
            with suppress(docker.errors.ImageNotFound):
                self.client.images.load(b"".join(source.images.get(name).save(named=True)))
                self._kept.add(name)
        source.close()

    def has_image(self, name: str) -> bool:
        return bool(self.client.images.list(name=name))

    def inventory(self) -> dict[str, set[str]]:
        """All that there is: kind -> what tells one from another."""
        client = self.client.api
        images = client.images(all=False)
        return {
            "containers": {item["Names"][0] for item in client.containers(all=True)},
            "networks": {item["Name"] for item in client.networks()},
            "volumes": {item["Name"] for item in client.volumes()["Volumes"] or []},
            "images": {tag for item in images for tag in item["RepoTags"] or [item["Id"]]},
        }

    def empty(self) -> None:
        """Removes all but the images that were brought, for the next fault to begin with nothing."""
        for container in self.client.api.containers(all=True):
            with suppress(DockerException):
                self.client.api.unpause(container["Id"])
            with suppress(DockerException):
                self.client.api.remove_container(container["Id"], force=True, v=True)
        for network in self.client.api.networks():
            with suppress(DockerException):
                self.client.api.remove_network(network["Id"])
        for volume in self.client.api.volumes()["Volumes"] or []:
            with suppress(DockerException):
                self.client.api.remove_volume(volume["Name"], force=True)
        for tag in self.inventory()["images"] - self._kept:
            with suppress(DockerException):
                self.client.api.remove_image(tag, force=True)

    def close(self) -> None:
        self.ensure()
        self.empty()
        self.stop()
        subprocess.run(["umount", "--lazy", str(self.data)], check=False)
        for group in sorted(Path("/sys/fs/cgroup").glob(f"*/{_CGROUPS}")):
            with suppress(OSError):
                group.rmdir()


def programs_there() -> bool:
    """Whether this machine can run these tests: root, namespaces, an engine to start, a static busybox."""
    needed = all(
        shutil.which(name, path=f"/usr/sbin:{os.environ['PATH']}")
        for name in ("dockerd", "unshare", "mount", "ip")
    )
    return os.getuid() == 0 and needed and any(map(os.path.exists, ("/bin/busybox", "/usr/bin/busybox")))
