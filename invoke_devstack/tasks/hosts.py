"""Which services run on this machine, for the tasks that bring containers up."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from functools import cached_property
from typing import TYPE_CHECKING

from invoke_devstack.errors import UsageError
from invoke_devstack.events import Notice

if TYPE_CHECKING:
    from invoke_devstack.definition.model import Definition
    from invoke_devstack.running.hosting.prepare import Hosting
    from invoke_devstack.tasks.work import Work


class Hosts:
    """The services of `--host` and `--without`; without the first, those of `devstack.host`."""

    def __init__(
        self,
        work: Work,
        host: tuple[str, ...] = (),
        without: tuple[str, ...] = (),
        ports: str = "",
        scale: Mapping[str, int] | None = None,
    ) -> None:
        """`scale`: other numbers of containers, by service."""
        self._work = work
        self._ports = ports
        self._scale = dict(scale or {})
        work.check_services(tuple(self._scale))
        self.without = work.services(without)
        asked = work.services(host)
        if both := sorted({*asked} & {*self.without}):
            raise UsageError(f"`{both[0]}` is in `--host` and in `--without`", hint="Leave one of them out.")
        if asked and work.copy_name:
            raise UsageError(
                f"a copy of the stack (`{work.copy_name}`) has no processes of this machine",
                hint="Without `--host`, the service runs in a container.",
            )
        kept = () if work.copy_name else work.services(work.settings.host)
        self.names = asked or tuple(name for name in kept if name not in self.without)

    @cached_property
    def hosting(self) -> Hosting:
        """The definition with processes in place of these services."""
        return self._of(self._scaled(self._work.bound_definition))

    @property
    def definition(self) -> Definition | None:
        """The same; None for that of the files."""
        return self.hosting.definition if self._any or self._scale else None

    def prepared(self) -> Definition | None:
        """The same, once what the processes read is written, and what they miss is told."""
        if self._any:
            from invoke_devstack.running.hosting.prepare import write_files

            self._tell(text for text in _changes(self.hosting) if text[2] == "warning")
            write_files(self.hosting)
        return self.definition

    def reload(self) -> Definition:
        """The same, from the files as they are now."""
        return self._of(self._scaled(self._work.load_definition())).definition

    def _scaled(self, definition: Definition) -> Definition:
        from invoke_devstack.planning.selection import scaled

        return scaled(definition, self._scale) if self._scale else definition

    def with_hosted(self, services: tuple[str, ...]) -> tuple[str, ...]:
        """The services to bring up: all if none is named."""
        return tuple(dict.fromkeys((*services, *self.names))) if services else ()

    def tell_changes(self) -> None:
        """Says what each process gets in place of what its container would, and why."""
        if self._any:
            self._tell(_changes(self.hosting))

    @property
    def _any(self) -> bool:
        return bool(self.names or self.without)

    def _of(self, definition: Definition) -> Hosting:
        from invoke_devstack.running.hosting.prepare import Hosting, host_services

        if not self._any:
            return Hosting(definition, {})
        work = self._work
        hosting = host_services(
            definition, work.engine, work.settings, self.names, without=self.without, ports=self._ports
        )
        work.tell_unset(hosting.definition)
        return hosting

    def _tell(self, changes: Iterable[tuple[str, str, str]]) -> None:
        for name, text, level in changes:
            self._work.tell(Notice(text=text, service=name, level=level))


def _changes(hosting: Hosting) -> Iterable[tuple[str, str, str]]:
    """(service, text, level)"""
    for name, hosted in hosting.services.items():
        for item in hosted.rewrites:
            what = f"{item.before} is {item.after}" if item.before else f"is set to {item.after}"
            yield name, f"{item.variable}: {what} ({item.reason})", "info"
        for text in hosted.left_behind:
            yield name, f"not carried over: {text}", "warning"


def on_host_now(work: Work) -> tuple[str, ...]:
    """The services that could run in containers and are processes of this machine now."""
    from invoke_devstack.planning.labels import PROJECT, SERVICE
    from invoke_devstack.planning.processes.image import PROCESS_IMAGE
    from invoke_devstack.running.hosting.prepare import has_block

    definition = work.bound_definition
    able = {name for name, service in definition.services.items() if has_block(service)}
    if not able:
        return ()
    listed = work.engine.list_containers({"label": [f"{PROJECT}={definition.name}"]})
    processes = [item for item in listed if item.get("Image") == PROCESS_IMAGE]
    return tuple(sorted(able & {(item.get("Labels") or {}).get(SERVICE, "") for item in processes}))


def as_it_runs(work: Work) -> Definition:
    """The definition in which those are processes."""
    from invoke_devstack.running.hosting.prepare import host_services

    names = on_host_now(work)
    definition = work.bound_definition
    return host_services(definition, work.engine, work.settings, names).definition if names else definition
