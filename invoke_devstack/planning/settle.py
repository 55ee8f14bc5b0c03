"""The last words of a container's body, which only the engine knows just before it is made."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from invoke_devstack.planning import labels as label
from invoke_devstack.planning.hashes import digest
from invoke_devstack.planning.plan import Body, CreateContainer

_SHARED = ("NetworkMode", "IpcMode", "PidMode")


def placeholder(name: str) -> str:
    """What stands for the id of container `name` in the text that is hashed."""
    return f"id-of-container:{name}:"


def settled(
    action: CreateContainer, *, image_id: str = "", containers: Mapping[str, str] | None = None
) -> Body:
    """The body with the id of `action.late.image` in its label, and with the ids of
    `action.late.containers` in the place of their names: `containers` is the target of each creation of
    the same plan -> the id that it gave."""
    late = action.late
    if late is None:
        return action.body
    body: dict[str, Any] = dict(action.body)
    body["Labels"] = dict(body["Labels"])
    if late.image and image_id:
        body["Labels"][label.IMAGE] = image_id
    if late.containers:
        ids = containers or {}
        body["HostConfig"] = _host_with_ids(body["HostConfig"], ids)
        text = late.hash_input
        for name in late.containers:
            text = text.replace(placeholder(name), ids.get(name, name))
        body["Labels"][label.CONFIG_HASH] = digest(text)
    return body


def _host_with_ids(host: Mapping[str, Any], ids: Mapping[str, str]) -> dict[str, Any]:
    result = dict(host)
    for key in _SHARED:
        kind, _, name = str(host.get(key, "")).partition(":")
        if kind == "container" and name in ids:
            result[key] = f"container:{ids[name]}"
    if "VolumesFrom" in host:
        entries = (entry.partition(":") for entry in host["VolumesFrom"])
        result["VolumesFrom"] = [f"{ids.get(name, name)}{colon}{mode}" for name, colon, mode in entries]
    return result
