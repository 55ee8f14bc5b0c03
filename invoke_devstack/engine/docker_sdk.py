"""A client of the Docker SDK for the engine that the tasks use, for a team's own tasks.

Nothing else imports the SDK's client: with `requests` and `urllib3` it takes 70 ms.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from docker import DockerClient as DockerClient
from docker.tls import TLSConfig
from docker.transport.unixconn import UnixHTTPAdapter, UnixHTTPConnection, UnixHTTPConnectionPool

from invoke_devstack.engine.connect import connect
from invoke_devstack.engine.transport.dialing import Dial, dialer

if TYPE_CHECKING:
    from invoke_devstack.engine.endpoints import Endpoint, TlsFiles


def docker_client(endpoint: Endpoint | None = None) -> DockerClient:
    """A client for the engine that the docker command would use, or the one at `endpoint`. It speaks the API
    version that the tasks speak. Raises EngineUnavailableError."""
    engine = connect(endpoint=endpoint)
    found, version = engine.endpoint, engine.api_version
    engine.close()
    if found.scheme == "ssh":
        # For ssh the SDK needs paramiko, which reads little of ~/.ssh/config. It gets connections made by
        # the ssh command instead, and takes them for those of a unix socket.
        client = DockerClient(base_url="unix:///ssh", version=version)
        client.api.mount("http+docker://", _DialingAdapter(dialer(found)))
        return client
    return DockerClient(base_url=found.url, version=version, tls=_tls(found.tls) if found.tls else False)


def _tls(files: TlsFiles) -> TLSConfig:
    pair = (files.cert, files.key) if files.cert and files.key else None
    return TLSConfig(client_cert=pair, ca_cert=files.ca or None, verify=files.verify)


class _DialingAdapter(UnixHTTPAdapter):
    def __init__(self, dial: Dial) -> None:
        super().__init__("http+unix:///ssh")
        self._pool = _DialingPool(dial)

    def get_connection(self, url: bytes | str, proxies: object = None) -> UnixHTTPConnectionPool:
        return self._pool

    def close(self) -> None:
        super().close()
        self._pool.close()


class _DialingPool(UnixHTTPConnectionPool):
    def __init__(self, dial: Dial) -> None:
        super().__init__("", "")
        self._dial = dial

    def _new_conn(self) -> _DialingConnection:  # type: ignore[override]
        return _DialingConnection(self._dial)


class _DialingConnection(UnixHTTPConnection):
    def __init__(self, dial: Dial) -> None:
        super().__init__("", "")
        self._dial = dial

    def connect(self) -> None:
        self.sock = self._dial(self.timeout)
