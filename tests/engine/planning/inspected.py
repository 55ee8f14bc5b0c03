"""What `docker inspect` says of a project, ready to compare ours with Compose's.

Left out: ids, times, paths and addresses that the engine chooses each time, and the order of what is a set.
"""

from __future__ import annotations

import json
import os
import re
import subprocess
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from invoke_devstack.definition import load
from invoke_devstack.engine.docker_engine import DockerEngine
from invoke_devstack.planning import labels
from invoke_devstack.running.session import Session
from invoke_devstack.settings import Settings

SLEEP = 'command: ["sh", "-c", "trap exit TERM; sleep 1000 & wait"]'


def remove_project(engine: DockerEngine, project: str) -> None:
    """Removes what is left of the project."""
    mine = {"label": [f"{labels.PROJECT}={project}"]}
    for container in engine.list_containers(mine):
        engine.remove_container(container["Id"], force=True)
    for network in engine.list_networks(mine):
        engine.remove_network(network["Id"])
    for volume in engine.list_volumes(mine):
        engine.remove_volume(volume["Name"])


def session_for(text: str, engine: DockerEngine, image: str, project: str, folder: Path) -> Session:
    """The stack written to `folder`; ports without an address are left to the engine, as with Compose."""
    (folder / "folder").mkdir()
    (folder / "folder" / "secret").write_text("s")
    (folder / "folder" / "conf").write_text("c")
    octet = str(int(project[-2:], 16))
    text = text.replace("IMAGE", f'"{image}"').replace("SLEEP", SLEEP).replace("OCTET", octet)
    text = text.replace("PLATFORM", f"linux/{engine.info().architecture}")
    (folder / "compose.yaml").write_text(text)
    definition = load(folder, project_name=project)
    return Session(definition, engine, lambda event: None, settings=Settings(bind="", wait_timeout=30))


def compose(session: Session, *words: str) -> None:
    assert isinstance(session.engine, DockerEngine)
    environment = {**os.environ, "DOCKER_HOST": session.engine.endpoint.url}
    done = subprocess.run(
        ["docker", "compose", "--project-name", session.project, *words],
        cwd=session.definition.working_dir,
        env=environment,
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stderr


def seen(engine: DockerEngine, project: str) -> dict[str, Any]:
    """All of the project, by name, without what is new each time."""
    wanted = {"label": [f"{labels.PROJECT}={project}"]}
    containers = [engine.inspect_container(item["Id"]) for item in engine.list_containers(wanted)]
    ids = {item["Id"]: item["Name"].lstrip("/") for item in containers}
    result: dict[str, Any] = {}
    for item in containers:
        plain = json.dumps(item)
        for id_, name in ids.items():
            plain = plain.replace(id_, f"<{name}>").replace(id_[:12], f"<{name}>")
        result[item["Name"]] = comparable_container(json.loads(plain))
    for network in engine.list_networks(wanted):
        result[f"network {network['Name']}"] = comparable_network(network)
    for volume in engine.list_volumes(wanted):
        if labels.ANONYMOUS in volume["Labels"]:
            continue  # Compose's have no labels at all
        seen = without(volume, "CreatedAt") | {"Labels": not_ours(volume["Labels"])}
        result[f"volume {volume['Name']}"] = seen
    return result


def comparable_network(network: Mapping[str, Any]) -> dict[str, Any]:
    """An address range that nobody asked for is whichever was free."""
    pools = [
        re.sub(r"(?!10\.222\.)\d+\.\d+\.\d+\.\d+(/\d+)?", "ANY", json.dumps(pool))
        for pool in network["IPAM"]["Config"]
    ]
    return without(network, "Id", "Created", "Containers", "IPAM") | {
        "pools": pools,
        "driver": network["IPAM"]["Driver"],
    }


def comparable_container(item: dict[str, Any]) -> dict[str, Any]:
    config, host = item["Config"], item["HostConfig"]
    config["Labels"] = not_ours(config["Labels"])
    depends_on = config["Labels"][labels.DEPENDS_ON]
    config["Labels"][labels.DEPENDS_ON] = sorted(depends_on.split(","))
    if (
        host["NetworkMode"].startswith("container:")
        or host["PidMode"].startswith("container:")
        or host["IpcMode"].startswith("container:")
        or host["VolumesFrom"]
    ):
        # It is made of the other container's id.
        del config["Labels"][labels.CONFIG_HASH]
    config["Env"] = sorted(config["Env"])
    # Ours have labels that say where they belong, and the image's are mounted explicitly for that.
    host["Mounts"] = [item for item in host.get("Mounts") or () if not is_anonymous(item)] or None
    for key in ("Binds", "Ulimits", "Mounts", "ExtraHosts", "Links"):
        host[key] = ordered(host.get(key))
    mounts = ordered([mount | {"Source": "", "Name": anonymous(mount)} for mount in item["Mounts"]])
    networks = {
        name: without(
            endpoint, "NetworkID", "EndpointID", "IPAddress", "Gateway", "MacAddress", "IPPrefixLen"
        )
        for name, endpoint in item["NetworkSettings"]["Networks"].items()
    }
    for endpoint in networks.values():
        for key in ("Aliases", "DNSNames"):
            endpoint[key] = sorted(set(endpoint.get(key) or ()))
    return {
        "Config": config,
        "HostConfig": host,
        "Mounts": mounts,
        "Networks": networks,
        "Ports": sorted(item["NetworkSettings"]["Ports"] or ()),
        "Path": [item["Path"], *item["Args"]],
        "RestartCount": item["RestartCount"],
    }


def differences(ours: Any, theirs: Any, path: str = "") -> list[str]:
    """The places where the two are not the same."""
    if isinstance(ours, dict) and isinstance(theirs, dict):
        return [
            text
            for key in sorted(ours.keys() | theirs.keys())
            for text in differences(ours.get(key), theirs.get(key), f"{path}/{key}")
        ]
    return [] if ours == theirs else [f"{path}: ours {ours!r}, Compose's {theirs!r}"]


def is_anonymous(mount: Mapping[str, Any]) -> bool:
    return mount["Type"] == "volume" and not mount.get("Source")


def anonymous(mount: Mapping[str, Any]) -> str:
    return re.sub(r"^[0-9a-f]{64}$", "anonymous", mount.get("Name", ""))


def ordered(items: list[Any] | None) -> list[Any] | None:
    return sorted(items, key=lambda item: json.dumps(item, sort_keys=True)) if items else items


def not_ours(values: Mapping[str, str]) -> dict[str, str]:
    """What other tools are to see the same: our own labels are nothing to them."""
    return {key: value for key, value in values.items() if not key.startswith("dev.invoke-devstack.")}


def without(values: Mapping[str, Any], *names: str) -> dict[str, Any]:
    return {key: value for key, value in values.items() if key not in names}
