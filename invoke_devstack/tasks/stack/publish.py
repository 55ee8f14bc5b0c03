"""`invoke publish`."""

from __future__ import annotations

from typing import TYPE_CHECKING

from invoke_devstack.errors import DevstackError, UsageError
from invoke_devstack.tasks.declare import task
from invoke_devstack.tasks.flags import choice, not_empty

if TYPE_CHECKING:
    from invoke_devstack.planning.publishing.disclosure import Disclosure
    from invoke_devstack.tasks.work import Work


@task(
    "publish",
    json="events",
    plans=True,
    flags={
        "reference": "Where to: `registry.example.com/shop:1`.",
        "with_env": "Publish values of variables that the files hold. Asks first.",
        "oci_version": "`1.1` (default), or `1.0` for an old registry.",
    },
)
def publish(
    work: Work, reference: str, with_env: bool = False, oci_version: str = "1.1", yes: bool = False
) -> None:
    """Publish the Compose files to a registry.

    `publish registry.example.com/shop:1`; then, anywhere, `invoke up --file
    oci://registry.example.com/shop:1`. Images that are built here are pushed first. Asks before bind mounts
    and values of variables become public.
    """
    from invoke_devstack.planning.publishing.artifact import OCI_VERSIONS
    from invoke_devstack.running.images.publish import disclosure
    from invoke_devstack.running.images.publish import publish as publish_files

    not_empty("reference", reference)
    version = choice("oci-version", oci_version, OCI_VERSIONS)
    found = disclosure(work.compose_definition)
    if (found.variables or found.secrets) and not with_env:
        names = ", ".join((*found.secrets, *found.variables))
        raise UsageError(
            f"the files hold values of variables: {names}",
            hint="To publish them, add `--with-env`. To keep them out, write `${NAME}` instead.",
        )
    _agree(work, found, yes=yes)
    with work.session() as session:
        publish_files(session, reference, oci_version=version)


def _agree(work: Work, found: Disclosure, *, yes: bool) -> None:
    """Raises UsageError if nobody can be asked, DevstackError if the answer is no."""
    from invoke_devstack.console import can_ask
    from invoke_devstack.events import Notice

    if yes or work.dry or not found:
        return
    parts = {
        "what looks secret": found.secrets,
        "values of variables": found.variables,
        "bind mounts (not what is in them)": found.bind_mounts,
    }
    told = "; ".join(f"{what}: {', '.join(items)}" for what, items in parts.items() if items)
    if not can_ask():
        raise UsageError(
            f"needs confirmation: this publishes {told}",
            hint="There is no terminal to ask on. To confirm, add `--yes`.",
        )
    work.tell(Notice(text=f"this publishes {told}", level="warning"))
    with work.interrupt.raising():
        answer = work.console.ask("Publish it? [y/N]").strip().lower()
    if answer not in ("y", "yes"):
        raise DevstackError("cancelled: nothing was published")
