"""Rewrites the addresses of services in variables to those on this machine.

What counts as an address: `redis:6379` anywhere in a text; the host of a URL (its user and password are left
alone), also without a port; a variable or JSON member that is called like a host (`DB_HOST`) and has a
service's name as its value, together with its port (`DB_PORT`).
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Mapping
from typing import Any

from invoke_devstack.records import record

_URL = re.compile(r"(?P<scheme>[a-zA-Z][a-zA-Z0-9+.-]*)://(?P<authority>[^\s/?#\"'<>\\]*)")
_URL_HOST = re.compile(r"(?P<host>[\w.-]+)(?::(?P<port>\d{1,5}))?(?P<rest>(?![\w:]).*)", re.DOTALL)
_HOST_NAME = re.compile(r"(hostname|hosts?|addr|address|servers?|endpoints?|brokers?|nodes?)$", re.IGNORECASE)
_SCHEME_PORTS = {
    "http": 80,
    "ws": 80,
    "https": 443,
    "wss": 443,
    "redis": 6379,
    "rediss": 6379,
    "mysql": 3306,
    "mariadb": 3306,
    "postgres": 5432,
    "postgresql": 5432,
    "mongodb": 27017,
    "amqp": 5672,
    "nats": 4222,
}
_PRIVILEGED = 1024
"""Below it, `redis:8` is rather an image's tag than an address, unless the service is known to serve it."""


@record
class Local:
    """Where a port of a service is reached on this machine. `how` says what makes it so, for people."""

    host: str
    port: int
    how: str = "it is published"


@record
class Known:
    """A service under one of its names. `ports` are those it is known to serve, the main one first."""

    service: str
    ports: tuple[int, ...] = ()


@record
class Rewrite:
    """One address in a variable. `added`: the variable was not there before."""

    variable: str
    before: str
    after: str
    reason: str
    added: bool = False


Locate = Callable[[str, int], Local | None]
"""Where (service, port) is reached; None if it is not."""


class Rewriter:
    """`names` are the names that the service's container could resolve."""

    def __init__(self, names: Mapping[str, Known], locate: Locate) -> None:
        self._names = {name.lower(): known for name, known in names.items()}
        self._locate = locate
        any_name = "|".join(sorted(map(re.escape, self._names), key=len, reverse=True))
        self._pair = re.compile(
            rf"(?<![\w.-])(?P<host>{any_name or '(?!)'}):(?P<port>\d{{1,5}})(?![\w.])", re.I
        )
        self._variable = ""
        self.rewrites: list[Rewrite] = []

    def variables(self, values: Mapping[str, str]) -> dict[str, str]:
        """The variables with the addresses on this machine."""
        result: dict[str, Any] = dict(values)
        for name in values:
            self._variable = name
            if not self._host_and_port(result, name, add_port=True):
                result[name] = self._value(result[name])
        return {name: str(value) for name, value in result.items()}

    def text(self, value: str) -> str:
        """The text with the addresses on this machine."""
        pieces, end = [], 0
        for url in _URL.finditer(value):
            pieces += [self._pairs(value[end : url.start()]), url["scheme"], "://"]
            pieces.append(self._authority(url["scheme"].lower(), url["authority"]))
            end = url.end()
        return "".join([*pieces, self._pairs(value[end:])])

    def found_in(self, text: str) -> list[tuple[str, str]]:
        """The addresses in a text that stays as it is, with those on this machine."""
        before, self.rewrites = self.rewrites, []
        self.text(text)
        found, self.rewrites = self.rewrites, before
        return list(dict.fromkeys((item.before, item.after) for item in found))

    def _value(self, value: str) -> str:
        return self._json(value) if value.lstrip()[:1] in ("{", "[") else self.text(value)

    def _json(self, value: str) -> str:
        try:
            before = json.loads(value)
        except ValueError:
            return self.text(value)
        after = self._inside(before)
        return value if after == before else json.dumps(after, ensure_ascii=False)

    def _inside(self, value: Any) -> Any:
        if isinstance(value, str):
            return self.text(value)
        if isinstance(value, list):
            return [self._inside(item) for item in value]
        if not isinstance(value, dict):
            return value
        result = dict(value)
        for name in value:
            if not self._host_and_port(result, name, add_port=False):
                result[name] = self._inside(result[name])
        return result

    def _host_and_port(self, values: dict[str, Any], name: str, *, add_port: bool) -> bool:
        """Rewrites a host and the port beside it. Whether `name` is such a host."""
        known = self._names.get(str(values[name]).lower())
        suffix = _HOST_NAME.search(name)
        if known is None or suffix is None:
            return False
        port_name = name[: suffix.start()] + _in_case_of(suffix[0], "port")
        said = str(values.get(port_name, ""))
        port = int(said) if said.isdecimal() else next(iter(known.ports), 0)
        local = self._locate(known.service, port) if port else None
        if local is None:
            return True
        self._note(f"{values[name]}:{port}", local)
        values[name] = local.host
        if port_name in values:
            values[port_name] = type(values[port_name])(local.port)
        elif add_port and local.port != port:
            values[port_name] = str(local.port)
            reason = f"the port that goes with {name}, which is not {port} on this machine"
            self.rewrites.append(Rewrite(port_name, "", str(local.port), reason, added=True))
        return True

    def _pairs(self, text: str) -> str:
        return self._pair.sub(self._pair_here, text)

    def _pair_here(self, match: re.Match[str]) -> str:
        known, port = self._names[match["host"].lower()], int(match["port"])
        if port < _PRIVILEGED and port not in known.ports:
            return match[0]
        return self._address(known, match["host"], port) or match[0]

    def _authority(self, scheme: str, authority: str) -> str:
        user, at, hosts = authority.rpartition("@")
        return user + at + ",".join(self._url_host(scheme, part) for part in hosts.split(","))

    def _url_host(self, scheme: str, part: str) -> str:
        match = _URL_HOST.fullmatch(part)
        known = self._names.get(match["host"].lower()) if match else None
        if match is None or known is None:
            return self._pairs(part)
        port = int(match["port"] or _SCHEME_PORTS.get(scheme, next(iter(known.ports), 0)))
        address = self._address(known, match["host"], port) if port else ""
        return address + match["rest"] if address else part

    def _address(self, known: Known, host: str, port: int) -> str:
        local = self._locate(known.service, port)
        if local is None:
            return ""
        self._note(f"{host}:{port}", local)
        return f"{local.host}:{local.port}"

    def _note(self, before: str, local: Local) -> None:
        self.rewrites.append(Rewrite(self._variable, before, f"{local.host}:{local.port}", local.how))


def _in_case_of(example: str, word: str) -> str:
    """The word in the case of the example: `PORT` for `HOST`, `Port` for `Host`."""
    return word.upper() if example.isupper() else word.title() if example[0].isupper() else word
