"""An engine of the faults' own, that may be stopped, killed, frozen and given a full disk.

It runs inside the namespaces that `isolation` made, so that its bridges, its firewall rules, its mounts
and its processes are no other engine's, and are gone when the harness ends.
"""

from __future__ import annotations

import io
import os
import shutil
import signal
import subprocess
import tarfile
import time
from contextlib import suppress
from pathlib import Path

import docker
import psutil
from docker.errors import DockerException

BUSYBOX = "devstack-test/busybox:1"
_CGROUPS = "devstack-faults"
_START = 60.0  # seconds
_STOP = 40.0


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
        path = os.pathsep.join(filter(None, (self._programs, "/usr/sbin", os.environ["PATH"])))
        (self._folder / "engine.pid").unlink(missing_ok=True)  # of one that was killed
        words = ["dockerd", "--data-root", str(self.data), "--exec-root", str(self._folder / "exec")]
        words += ["--pidfile", str(self._folder / "engine.pid"), "-H", self.url, "--bip", "10.211.0.1/24"]
        words += ["--cgroup-parent", f"/{_CGROUPS}", "--default-address-pool", "base=10.212.0.0/16,size=24"]
        words[0] = shutil.which("dockerd", path=path) or "dockerd"
        with (self._folder / "engine.log").open("ab") as log:
            environment = {**os.environ, "PATH": path}
            self._process = subprocess.Popen(words, stdout=log, stderr=log, env=environment)
        self._wait_until_it_answers()

    def _wait_until_it_answers(self) -> None:
        until = time.monotonic() + _START
        while time.monotonic() < until:
            with suppress(DockerException, OSError):
                self.client.ping()
                return
            time.sleep(0.05)
        raise TimeoutError(f"the engine does not answer; see {self._folder / 'engine.log'}")

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
        """Makes the disk so small that `size` bytes are free."""
        self.resize(str(self.used() + size))

    def used(self) -> int:
        """Bytes on the engine's disk."""
        return shutil.disk_usage(self.data).used

    def processes(self) -> list[psutil.Process]:
        """Everything in these namespaces except the harness and what started it."""
        kept = {os.getpid(), *(item.pid for item in psutil.Process().parents())}
        return [item for item in psutil.process_iter() if item.pid not in kept]

    def import_busybox(self) -> None:
        """A small image with a shell, made from this machine's static busybox."""
        program = next(path for path in ("/bin/busybox", "/usr/bin/busybox") if Path(path).exists())
        names = subprocess.run([program, "--list"], capture_output=True, text=True, check=True).stdout.split()
        buffer = io.BytesIO()
        with tarfile.open(fileobj=buffer, mode="w") as archive:
            for folder in ("bin", "tmp", "etc", "root"):
                entry = tarfile.TarInfo(folder)
                entry.type, entry.mode = tarfile.DIRTYPE, 0o777 if folder == "tmp" else 0o755
                archive.addfile(entry)
            archive.add(program, "bin/busybox")
            for name in set(names) - {"busybox"}:
                entry = tarfile.TarInfo(f"bin/{name}")
                entry.type, entry.linkname = tarfile.SYMTYPE, "/bin/busybox"
                archive.addfile(entry)
        repository, tag = BUSYBOX.split(":")
        changes = ["ENV PATH=/bin", 'CMD ["sh"]']
        self.client.api.import_image_from_data(
            buffer.getvalue(), repository=repository, tag=tag, changes=changes
        )

    def copy_images(self, *names: str) -> None:
        """Brings images over from the engine of this machine; those that it has not are left out."""
        source = docker.from_env(timeout=300)
        for name in names:
            with suppress(docker.errors.ImageNotFound):
                self.client.images.load(source.images.get(name).save(named=True))
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
