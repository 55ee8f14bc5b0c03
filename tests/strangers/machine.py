"""A stranger's machine: a container with a Debian release, its Python, a user, and the engine's socket.

Its root file system is made of Debian's packages by mmdebstrap, so no registry of images is needed. pip is
told the same and trusts the same as on this machine: that is about the network and not about the stranger.
"""

from __future__ import annotations

import os
import re
import secrets
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Self
from urllib.parse import urlsplit

RELEASES = {"bookworm": "Debian 12", "trixie": "Debian 13", "sid": "Debian unstable"}
CHOSEN = "DEVSTACK_STRANGERS"
"""The variable with the releases to try, separated by commas."""
IMAGE = "devstack-test/stranger"
_PACKAGES = "ca-certificates,curl,python3,python3-pip,python3-venv"
_SOCKET = "/var/run/docker.sock"
_AUTHORITIES = Path("/etc/ssl/certs/ca-certificates.crt")
_OWNER, _OUTSIDER = "stranger", "outsider"


def missing() -> str:
    """Why no such machine can be made here; "" if one can."""
    if os.getuid() != 0:
        return "it needs root, for folders of another user"
    for name in ("mmdebstrap", "docker", "apt-get"):
        if not shutil.which(name):
            return f"there is no {name}"
    if not socket().is_socket():
        return f"{socket()} is not an engine's socket"
    return "" if mirror() else "this machine's apt knows no Debian mirror"


def socket() -> Path:
    """The socket of the engine that the tests use."""
    url = urlsplit(os.environ.get("DOCKER_HOST", f"unix://{_SOCKET}"))
    return Path(url.path if url.scheme == "unix" else "/nowhere")


def mirror() -> str:
    """The address of the mirror that this machine's apt uses for Debian; "" if it uses none."""
    words = ("apt-get", "indextargets", "--format", "$(REPO_URI) $(RELEASE)", "Created-By: Packages")
    done = subprocess.run(words, capture_output=True, text=True, check=False)
    found = re.search(r"^(\S+/debian/?) [a-z]+$", done.stdout, re.MULTILINE)
    return found[1] if found else ""


def make_image(release: str) -> str:
    """The image of a release; it is made where it is not there yet, in a minute or two."""
    image = f"{IMAGE}:{release}"
    if (
        subprocess.run(("docker", "image", "inspect", image), capture_output=True, check=False).returncode
        == 0
    ):
        return image
    with tempfile.TemporaryDirectory() as folder:
        root = Path(folder, "root.tar")
        # A mirror that is a copy of some day is as good: its lists may be past their date.
        dated = 'Acquire::Check-Valid-Until "false"'
        words = ("mmdebstrap", "--quiet", "--variant=minbase", f"--include={_PACKAGES}", f"--aptopt={dated}")
        subprocess.run((*words, release, str(root), mirror()), check=True)
        subprocess.run(("docker", "import", str(root), image), check=True, stdout=subprocess.DEVNULL)
    return image


def pip_variables() -> dict[str, str]:
    """What pip is told on this machine, as variables."""
    words = (sys.executable, "-m", "pip", "config", "list")
    listed = subprocess.run(words, capture_output=True, text=True, check=True).stdout
    found = re.findall(r"^(?:global|install|:env:)\.([\w.-]+)='(.*)'$", listed, re.MULTILINE)
    return {f"PIP_{name.upper().replace('-', '_')}": value.replace("\\n", " ") for name, value in found}


def _places(values: Iterator[str]) -> Iterator[Path]:
    """The files and folders of this machine that these values name. An index in a folder refers to the files
    beside it."""
    for word in " ".join(values).split():
        path = Path(word.removeprefix("file://"))
        if path.is_absolute() and path.exists():
            yield path.parent if word.startswith("file://") else path


class Machine:
    """One such container. `folder` is the home of its user, at the same path here and there. Use it in a
    `with`."""

    def __init__(self, release: str) -> None:
        self.release = release
        self.name = f"t-stranger-{secrets.token_hex(4)}"
        self.folder = Path(tempfile.mkdtemp(prefix="devstack-stranger-"))
        self._variables = pip_variables()

    def __enter__(self) -> Self:
        image = make_image(self.release)
        shared = {self.folder: "rw", **dict.fromkeys(_places(iter(self._variables.values())), "ro")}
        if _AUTHORITIES.is_file():
            shared[_AUTHORITIES] = "ro"
        volumes = [f"--volume={path}:{path}:{mode}" for path, mode in shared.items()]
        given = [f"--env={name}={value}" for name, value in self._variables.items()]
        _docker(
            *("run", "--detach", "--init", "--name", self.name, "--network", "host", "--env", "LANG=C.UTF-8"),
            *(*volumes, f"--volume={socket()}:{_SOCKET}", *given, image, "sleep", "infinity"),
        )
        self._as_root("groupadd", "--gid", str(socket().stat().st_gid), "docker")
        self._as_root("useradd", "--home-dir", str(self.folder), "--groups", "docker", _OWNER)
        self._as_root("useradd", "--create-home", _OUTSIDER)
        self._as_root("chown", _OWNER, str(self.folder))
        self.folder.chmod(0o755)
        return self

    def __exit__(self, *_: object) -> None:
        subprocess.run(("docker", "rm", "--force", self.name), capture_output=True, check=False)
        shutil.rmtree(self.folder)

    def words(
        self,
        *command: str,
        folder: Path,
        variables: Mapping[str, str],
        outsider: bool = False,
        terminal: bool = False,
    ) -> list[str]:
        """The words that run a command there, as its user or as one who may not use the engine."""
        given = {"TERM": "xterm-256color", **variables}
        if not outsider:
            given["HOME"] = str(self.folder)
        return [
            *("docker", "exec", "--interactive", *(["--tty"] if terminal else [])),
            *("--user", _OUTSIDER if outsider else _OWNER, "--workdir", str(folder)),
            *(f"--env={name}={value}" for name, value in given.items()),
            *(self.name, *command),
        ]

    def give(self, file: Path) -> None:
        """Makes the user the owner of a file in the folder."""
        self._as_root("chown", _OWNER, str(file))

    def _as_root(self, *command: str) -> None:
        _docker("exec", self.name, *command)


def _docker(*words: str) -> None:
    subprocess.run(("docker", *words), check=True, stdout=subprocess.DEVNULL)
