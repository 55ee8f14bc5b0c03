"""What a swarm does with each key of the Compose Specification: the one table of it.

A row is for a key's place (`services.*.ports[].host_ip`). A place that ends with `.*` is for all keys below
that have no row of their own. A key without a row is named as one that is not carried out. A test checks that
each row is for a declared key.
"""

from __future__ import annotations

from collections.abc import Mapping

from invoke_devstack.planning.preflight import judging
from invoke_devstack.planning.preflight.fates import (
    SAME,
    Fate,
    by_deploy,
    depends,
    different,
    here_only,
    ignored,
    impossible,
    in_reading,
    since,
    translated,
    with_parent,
)

_CPUS = "Use `deploy.resources.limits.cpus`"
_MEMORY = "Use `deploy.resources.limits.memory`"
_NO_CONTROL = "a swarm has no control of it, so the containers start without it"
_ADDRESSES = "a swarm assigns addresses itself"
_BY_NAME = "Reach the service by its name"
_HOOK_HINT = "Do it in the image's entrypoint, or in a one-shot service that others depend on"
_UNTIL_NOW = "the containers start without it"

_TOP: Mapping[str, Fate] = {
    "version": in_reading(),
    "name": in_reading(),
    "include": in_reading(),
    "include[].*": in_reading(),
    "services": SAME,
    "networks": SAME,
    "volumes": SAME,
    "secrets": SAME,
    "configs": SAME,
    "models": with_parent(),
    "models.*.*": with_parent(),
}

_SERVICE: Mapping[str, Fate] = {
    "extends": in_reading(),
    "extends.*": in_reading(),
    "pull_refresh_after": ignored("each deploy asks the registry which digest the tag has"),
    "profiles": in_reading(),
    "annotations": ignored(_NO_CONTROL, "Use `labels`"),
    "attach": here_only(),
    "build": depends(judging.build_without_name),
    "build.*": by_deploy(),
    "develop": here_only(),
    "develop.*": here_only(),
    "blkio_config": ignored(_NO_CONTROL),
    "blkio_config.*": with_parent(),
    "cap_add": SAME,
    "cap_drop": SAME,
    "cgroup_parent": ignored(_NO_CONTROL),
    "cgroup": ignored(_NO_CONTROL),
    "cpu_count": ignored(_NO_CONTROL, _CPUS),
    "cpu_percent": ignored(_NO_CONTROL, _CPUS),
    "cpu_period": depends(judging.period_without_quota),
    "cpu_quota": translated("deploy.resources.limits.cpus"),
    "cpu_rt_period": ignored(_NO_CONTROL),
    "cpu_rt_runtime": ignored(_NO_CONTROL),
    "cpus": translated("deploy.resources.limits.cpus"),
    "cpuset": ignored(_NO_CONTROL, _CPUS),
    "cpu_shares": ignored(_NO_CONTROL, _CPUS),
    "command": depends(judging.cleared_command),
    "configs": SAME,
    "configs[].*": SAME,
    "container_name": different(
        "Swarm names each task STACK_SERVICE.NUMBER.ID, and other services do not find it by this name",
        "Use the service's name, or an alias of a network: networks: {default: {aliases: [NAME]}}",
    ),
    "credential_spec": SAME,
    "credential_spec.*": SAME,
    "depends_on": different(
        "it orders the deploy alone: after a node fails, Swarm starts tasks in any order",
        "Let the service try again until the other one answers",
    ),
    "depends_on.*.condition": depends(judging.awaited_end),
    "depends_on.*.required": by_deploy(),
    "depends_on.*.restart": ignored("Swarm restarts no service because another one was restarted"),
    "deploy": SAME,
    "deploy.*": SAME,
    "deploy.mode": depends(judging.unknown_mode),
    "deploy.resources.reservations.devices": impossible(
        "a swarm gives no devices to containers", "Advertise them as `generic_resources` of the nodes"
    ),
    "deploy.resources.reservations.devices[].*": with_parent(),
    "device_cgroup_rules": ignored(_NO_CONTROL),
    "devices": impossible(
        "a swarm gives no devices to containers",
        "Run this service outside the swarm, on the machine with the device",
    ),
    "devices[].*": with_parent(),
    "dns": SAME,
    "dns_opt": SAME,
    "dns_search": SAME,
    "domainname": ignored(_UNTIL_NOW, "Write `hostname: NAME.DOMAIN`"),
    "entrypoint": depends(judging.cleared_command),
    "provider": impossible(
        "a swarm runs containers alone, no providers", "Replace it by a service with an `image`"
    ),
    "provider.*": with_parent(),
    "environment": SAME,
    "env_file": in_reading(),
    "env_file[].*": in_reading(),
    "expose": SAME,
    "external_links": ignored(
        "containers outside the stack are not found by this name", "Join an external network of both"
    ),
    "extra_hosts": SAME,
    "group_add": SAME,
    "gpus": impossible(
        "a swarm gives no devices to containers",
        "Advertise them as `generic_resources` of the nodes, and reserve them under `deploy.resources`",
    ),
    "gpus[].*": with_parent(),
    "hostname": SAME,
    "healthcheck": SAME,
    "healthcheck.*": SAME,
    "healthcheck.start_interval": since((1, 44)),
    "image": SAME,
    "init": SAME,
    "ipc": ignored("each container has its own"),
    "isolation": SAME,
    "labels": SAME,
    "label_file": in_reading(),
    "links": depends(judging.renaming_links),
    "logging": SAME,
    "logging.*": SAME,
    "mem_limit": translated("deploy.resources.limits.memory"),
    "mem_reservation": translated("deploy.resources.reservations.memory"),
    "memswap_limit": ignored(_NO_CONTROL, _MEMORY),
    "mem_swappiness": ignored(_NO_CONTROL),
    "mac_address": ignored(_ADDRESSES),
    "models": impossible(
        "nothing in a swarm serves models", "Put the address of a server into `environment`"
    ),
    "models.*.*": with_parent(),
    "network_mode": depends(judging.network_mode),
    "networks": SAME,
    "networks.*.aliases": SAME,
    "networks.*.driver_opts": SAME,
    "networks.*.gw_priority": ignored("a swarm does not choose the gateway by it"),
    "networks.*.interface_name": ignored("a swarm names the interfaces itself"),
    "networks.*.ipv4_address": ignored(_ADDRESSES, _BY_NAME),
    "networks.*.ipv6_address": ignored(_ADDRESSES, _BY_NAME),
    "networks.*.link_local_ips": ignored(_ADDRESSES, _BY_NAME),
    "networks.*.mac_address": ignored(_ADDRESSES),
    "networks.*.priority": ignored("a swarm joins the networks in any order"),
    "oom_kill_disable": ignored(_NO_CONTROL),
    "oom_score_adj": since((1, 46)),
    "pid": ignored("each container has its own"),
    "pids_limit": translated("deploy.resources.limits.pids"),
    "platform": translated("a condition on nodes"),
    "ports": SAME,
    "ports[].*": SAME,
    "ports[].host_ip": depends(judging.host_ip),
    "ports[].published": depends(judging.port_range),
    "privileged": impossible(
        "a swarm starts no privileged containers", "Set `privileged: false`, and `cap_add` what it needs"
    ),
    "pull_policy": depends(judging.pull_policy),
    "read_only": SAME,
    "restart": depends(judging.restart),
    "runtime": ignored(
        "the nodes use their default runtime", "Set `default-runtime` in the nodes' daemon.json"
    ),
    "scale": translated("deploy.replicas"),
    "secrets": SAME,
    "secrets[].*": SAME,
    "security_opt": depends(judging.security_options),
    "shm_size": translated("a mount of type tmpfs at /dev/shm"),
    "stdin_open": SAME,
    "stop_grace_period": SAME,
    "stop_signal": SAME,
    "storage_opt": ignored(_NO_CONTROL),
    "sysctls": SAME,
    "tmpfs": depends(judging.tmpfs),
    "tty": SAME,
    "ulimits": SAME,
    "ulimits.*.*": SAME,
    "use_api_socket": impossible(
        "a swarm gives the engine's socket to no container", "Bind-mount /var/run/docker.sock on a manager"
    ),
    "user": SAME,
    "userns_mode": ignored("the nodes' own setting holds"),
    "uts": ignored("each container has its own"),
    "volumes": depends(judging.mount),
    "volumes[].*": SAME,
    "volumes[].bind.selinux": ignored("the nodes relabel nothing", "Relabel the directory on each node"),
    "volumes[].bind.create_host_path": here_only(),  # the mount itself is named
    "volumes[].bind.recursive": ignored("submounts are mounted as they are"),
    "volumes[].volume.subpath": since((1, 45), impossible=True),
    "volumes_from": impossible(
        "a container can run on another node than the one it shares volumes with",
        "Give both services the same named volume",
    ),
    "working_dir": SAME,
    "pre_start": impossible("a swarm runs no hooks", _HOOK_HINT),
    "pre_start[].*": with_parent(),
    "post_start": impossible("a swarm runs no hooks", _HOOK_HINT),
    "post_start[].*": with_parent(),
    "pre_stop": ignored("a swarm runs no hooks", "Do it when the process gets `stop_signal`"),
    "pre_stop[].*": with_parent(),
}

_RESOURCES: Mapping[str, Fate] = {
    "networks.*.*": SAME,
    "networks.*.driver": depends(judging.network_driver),
    "networks.*.driver_opts": depends(judging.network_options),
    "networks.*.ipam.config[].aux_addresses": ignored(_ADDRESSES),
    "networks.*.enable_ipv4": depends(judging.without_ipv4),
    "volumes.*.*": SAME,
    "secrets.*.*": SAME,
    "configs.*.*": SAME,
}

KEYS: Mapping[str, Fate] = {
    **_TOP,
    **{f"services.*.{key}": fate for key, fate in _SERVICE.items()},
    **_RESOURCES,
}
