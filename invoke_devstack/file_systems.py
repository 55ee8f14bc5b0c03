"""File systems that do not report changes: they have to be polled.

inotify reports only what passes through this kernel. A change made by another machine, or by the host of a
virtual machine, does not.
"""

from __future__ import annotations

_WITHOUT_EVENTS = frozenset(
    {
        # Network: other machines write too.
        "nfs",
        "nfs4",
        "cifs",
        "smb3",
        "smbfs",
        "afs",
        "ceph",
        # The host writes to a folder that it shares with its virtual machine.
        "9p",  # QEMU, and Windows drives in WSL 2
        "drvfs",  # Windows drives in WSL 1
        "virtiofs",  # QEMU, Docker Desktop, Lima, Colima
        "vboxsf",  # VirtualBox
        "prl_fs",  # Parallels
        "vmhgfs-fuse",  # VMware, as some systems name it
    }
)


def lacks_events(file_system: str) -> bool:
    """Whether changes on this type of file system, such as `nfs4`, have to be polled. FUSE (`fuse.sshfs`)
    always: the process behind it may change files without the kernel's knowledge."""
    return file_system in _WITHOUT_EVENTS or file_system.startswith("fuse.")
