from __future__ import annotations

from pathlib import Path

from invoke_devstack.engine.docker_sdk import _tls
from invoke_devstack.engine.endpoints import TlsFiles


def test_tls_files_of_a_context_are_those_of_the_sdk(tmp_path: Path) -> None:
    ca, cert, key = (str(tmp_path / name) for name in ("ca.pem", "cert.pem", "key.pem"))
    for path in (ca, cert, key):
        Path(path).touch()
    config = _tls(TlsFiles(ca, cert, key))
    assert (config.ca_cert, config.cert, config.verify) == (ca, (cert, key), True)


def test_without_files_the_authorities_of_the_system_are_trusted() -> None:
    config = _tls(TlsFiles())
    assert (config.ca_cert, config.cert, config.verify) == (None, None, True)


def test_a_context_that_skips_verification_does_so_in_the_sdk() -> None:
    assert _tls(TlsFiles(verify=False)).verify is False
