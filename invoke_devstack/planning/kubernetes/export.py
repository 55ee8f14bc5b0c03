"""`export()`: the files that describe a definition to Kubernetes."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from invoke_devstack.definition.model import Definition, FileObject
from invoke_devstack.errors import DefinitionError
from invoke_devstack.planning.kubernetes.containers import (
    Manifest,
    environment_secret,
    secret_variables,
)
from invoke_devstack.planning.kubernetes.kubernetes_keys import KEYS
from invoke_devstack.planning.kubernetes.names import dns_name
from invoke_devstack.planning.kubernetes.volumes import claims, file_key, object_name
from invoke_devstack.planning.kubernetes.workloads import services, workload
from invoke_devstack.planning.preflight.examine import examine
from invoke_devstack.planning.preflight.findings import Finding, FindingKind, Level
from invoke_devstack.planning.preflight.translate import in_deploy_form
from invoke_devstack.records import record

KUSTOMIZATION = "kustomization.yaml"
SECRETS = "secrets"


@record
class Export:
    """What is written: `manifests` are documents by file; Secrets and ConfigMaps are generated from `texts`
    and `copies` (path -> a file of this machine)."""

    manifests: Mapping[str, tuple[Manifest, ...]]
    texts: Mapping[str, str]
    copies: Mapping[str, str]
    findings: tuple[Finding, ...]


def export(definition: Definition) -> Export:
    """The manifests of a definition. Raises DefinitionError if two services would get the same name."""
    _refuse_same_names(definition)
    whole = _with_all_ports(in_deploy_form(definition), definition)
    manifests = {
        f"{dns_name(name)}.yaml": (workload(service, whole), *services(service))
        for name, service in whole.services.items()
    }
    if volumes := tuple(claims(whole, _shared_volumes(whole))):
        manifests["volumes.yaml"] = volumes
    generated = tuple(_generated(whole))
    texts = {path: text for item in generated for path, text in item.texts.items()}
    copies = {path: file for item in generated for path, file in item.copies.items()}
    if any(path.startswith(f"{SECRETS}/") for path in (*texts, *copies)):
        texts[f"{SECRETS}/.gitignore"] = "*\n"
    kustomization = _kustomization(whole, list(manifests), generated)
    findings = (*_renamed(definition), *examine(definition, KEYS))
    return Export({KUSTOMIZATION: (kustomization,), **manifests}, texts, copies, findings)


def _with_all_ports(whole: Definition, definition: Definition) -> Definition:
    """Ports for one machine alone are ports for the cluster alone."""
    kept = {
        name: service.copy_with({"ports": definition.services[name].ports})
        for name, service in whole.services.items()
    }
    return whole.copy_with({"services": kept})


def _shared_volumes(definition: Definition) -> frozenset[str]:
    """The volumes that several pods mount."""
    users: dict[str, int] = {}
    for service in definition.services.values():
        many = service.scale_count() > 1 or bool(service.deploy and service.deploy.mode == "global")
        for key in {item.source for item in service.volumes if item.type == "volume" and item.source}:
            users[key] = users.get(key, 0) + (2 if many else 1)
    return frozenset(key for key, count in users.items() if count > 1)


@record
class _Generated:
    """A Secret or ConfigMap that kustomize makes of files: its name carries the hash of their content."""

    kind: str  # secretGenerator or configMapGenerator
    name: str
    keys: Mapping[str, str]  # key -> path
    texts: Mapping[str, str]
    copies: Mapping[str, str]


def _generated(definition: Definition) -> Iterator[_Generated]:
    for service in definition.services.values():
        if values := secret_variables(service):
            name = environment_secret(service)
            keys = {key: f"{SECRETS}/{name}/{key}" for key in values}
            texts = {keys[key]: value for key, value in values.items()}
            yield _Generated("secretGenerator", name, keys, texts, {})
    groups: tuple[tuple[str, str, Mapping[str, FileObject]], ...] = (
        ("secretGenerator", SECRETS, definition.secrets),
        ("configMapGenerator", "configs", definition.configs),
    )
    for kind, folder, objects in groups:
        for key, own in objects.items():
            if not own.external:
                yield _of_file(kind, f"{folder}/{file_key(key)}", key, own)


def _of_file(kind: str, path: str, key: str, own: FileObject) -> _Generated:
    texts = {} if own.file else {path: own.content or ""}
    copies = {path: own.file} if own.file else {}
    return _Generated(kind, object_name(key, own), {file_key(key): path}, texts, copies)


def _kustomization(
    definition: Definition, resources: list[str], generated: tuple[_Generated, ...]
) -> Manifest:
    generators: Manifest = {}
    for item in generated:
        files = [f"{key}={path}" for key, path in item.keys.items()]
        generators.setdefault(item.kind, []).append({"name": item.name, "files": files})
    pairs = {"app.kubernetes.io/part-of": dns_name(definition.name)}
    return {
        "apiVersion": "kustomize.config.k8s.io/v1beta1",
        "kind": "Kustomization",
        "labels": [{"pairs": pairs}],
        "resources": resources,
        **generators,
    }


def _renamed(definition: Definition) -> Iterator[Finding]:
    for name in definition.services:
        if dns_name(name) != name:
            text = f"its name in the cluster is `{dns_name(name)}`, since Kubernetes allows a-z, 0-9 and `-`"
            origin = definition.origins.get(f"services.{name}")
            place = origin.position if origin else None
            hint = "Use this name in the variables of other services"
            key = f"services.{name}"
            yield Finding(FindingKind.DIFFERENT, Level.WARNING, key, text, hint, place)


def _refuse_same_names(definition: Definition) -> None:
    names: dict[str, str] = {}
    for name in definition.services:
        other = names.setdefault(dns_name(name), name)
        if other != name:
            message = (
                f"services `{other}` and `{name}` would have the same name in Kubernetes, `{dns_name(name)}`"
            )
            raise DefinitionError(message, hint="Rename one of them.")
