"""The shapes of the engine's answers (https://docs.docker.com/reference/api/engine/): the members that this
program reads. An answer of another shape is refused where it is read, so nobody else needs to look."""

from __future__ import annotations

from invoke_devstack.engine.transport.checking import (
    anything,
    list_of,
    map_of,
    maybe,
    moment,
    object_of,
    required,
    text,
    truth,
    whole,
)

_texts = list_of(text)
_labels = map_of(text)

VERSION = required(object_of({"Version": text, "Os": text, "Arch": text}))
DISK_USAGE = required(object_of({"LayersSize": whole}))
INFO = required(
    object_of(
        {
            "Architecture": text,
            "CgroupVersion": text,
            "DockerRootDir": text,
            "Driver": text,
            "MemTotal": whole,
            "NCPU": whole,
            "OSType": text,
            "OperatingSystem": text,
            "HTTPProxy": text,
            "HTTPSProxy": text,
            "NoProxy": text,
            "HttpProxy": text,
            "HttpsProxy": text,
            "SecurityOptions": _texts,
            "ServerVersion": text,
            "SystemTime": text,
            "Name": text,
            "Images": whole,
            "Warnings": _texts,
            "RegistryConfig": object_of({"Mirrors": _texts}),
        }
    )
)

_mount = object_of({"Type": text, "Name": text, "Source": text, "Destination": text, "Driver": text})
_mounts = list_of(required(_mount))
_health = object_of(
    {
        "Status": text,
        "FailingStreak": whole,
        "Log": list_of(required(object_of({"Output": text, "ExitCode": whole}))),
    }
)
CONTAINERS = required(
    list_of(
        required(
            object_of(
                {
                    "Id!": text,
                    "Names": _texts,
                    "Image!": text,
                    "ImageID!": text,
                    "Command": text,
                    "Created!": moment,
                    "State!": text,
                    "Status": text,
                    "Labels": _labels,
                    "Ports": list_of(
                        required(
                            object_of({"IP": text, "PrivatePort!": whole, "PublicPort": whole, "Type": text})
                        )
                    ),
                    "NetworkSettings": object_of(
                        {"Networks": map_of(required(object_of({"NetworkID": text})))}
                    ),
                    "Mounts": _mounts,
                }
            )
        )
    )
)
CONTAINER = required(
    object_of(
        {
            "Id!": text,
            "Name!": text,
            "Created!": text,
            "Image": text,
            "RestartCount": whole,
            "State!": object_of(
                {
                    "Status": text,
                    "Running!": truth,
                    "ExitCode!": whole,
                    "OOMKilled": truth,
                    "Error": text,
                    "Pid": whole,
                    "StartedAt": text,
                    "FinishedAt": text,
                    "Health": _health,
                }
            ),
            "Config!": object_of(
                {
                    "Labels": _labels,
                    "Env": _texts,
                    "Cmd": _texts,
                    "Entrypoint": _texts,
                    "Image": text,
                    "Tty": truth,
                    "OpenStdin": truth,
                    "User": text,
                    "Hostname": text,
                    "WorkingDir": text,
                    "StopSignal": text,
                    "StopTimeout": maybe(whole),
                    "ExposedPorts": map_of(anything),
                    "Healthcheck": object_of(
                        {
                            "Test": _texts,
                            "Interval": whole,
                            "Timeout": whole,
                            "StartPeriod": whole,
                            "Retries": whole,
                        }
                    ),
                }
            ),
            "HostConfig!": object_of(
                {
                    "RestartPolicy": object_of({"Name": text, "MaximumRetryCount": whole}),
                    "NetworkMode": text,
                    "Memory": whole,
                    "Binds": _texts,
                    "AutoRemove": truth,
                    "ReadonlyRootfs": truth,
                    "Runtime": text,
                    "Tmpfs": map_of(text),
                }
            ),
            "NetworkSettings": object_of(
                {
                    "Ports": map_of(list_of(required(object_of({"HostIp": text, "HostPort": text})))),
                    "Networks": map_of(
                        required(
                            object_of(
                                {
                                    "NetworkID": text,
                                    "IPAddress": text,
                                    "GlobalIPv6Address": text,
                                    "Gateway": text,
                                    "Aliases": _texts,
                                }
                            )
                        )
                    ),
                }
            ),
            "Mounts": _mounts,
        }
    )
)

IMAGE = required(
    object_of(
        {
            "Id!": text,
            "RepoTags": _texts,
            "RepoDigests": _texts,
            "Created": text,
            "Size!": whole,
            "Architecture": text,
            "Os": text,
            "Variant": text,
            "RootFS": object_of({"Layers": _texts}),
            "Config": object_of(
                {
                    "Labels": _labels,
                    "ExposedPorts": map_of(anything),
                    "Volumes": map_of(anything),
                    "Healthcheck": object_of({"Test": _texts}),
                    "Cmd": _texts,
                    "Entrypoint": _texts,
                    "Env": _texts,
                    "User": text,
                    "WorkingDir": text,
                    "StopSignal": text,
                }
            ),
        }
    )
)
IMAGES = required(
    list_of(
        required(
            object_of(
                {
                    "Id!": text,
                    "RepoTags": _texts,
                    "RepoDigests": _texts,
                    "Created!": moment,
                    "Size!": whole,
                    "Labels": _labels,
                }
            )
        )
    )
)
HISTORY = list_of(
    required(
        object_of(
            {
                "Id!": text,
                "Created!": moment,
                "CreatedBy!": text,
                "Size!": whole,
                "Tags": _texts,
                "Comment": text,
            }
        )
    )
)
REMOVED_IMAGES = list_of(required(object_of({"Untagged": text, "Deleted": text})))

NETWORKS = required(
    list_of(
        required(object_of({"Id!": text, "Name!": text, "Driver": text, "Labels": _labels, "Scope": text}))
    )
)
VOLUME = required(
    object_of({"Name!": text, "Driver": text, "Labels": _labels, "CreatedAt": text, "Mountpoint": text})
)
VOLUMES = required(object_of({"Volumes": list_of(VOLUME)}))

CREATED = required(object_of({"Id!": text, "Warnings": _texts}))
WAITED = required(object_of({"StatusCode!": whole, "Error": object_of({"Message": text})}))
EXEC = required(object_of({"Running!": truth, "ExitCode": maybe(whole)}))
TOP = required(object_of({"Titles!": _texts, "Processes": list_of(required(_texts))}))
CHANGES = list_of(required(object_of({"Path!": text, "Kind!": whole})))
STAT = required(object_of({"name!": text, "size!": whole, "mode!": whole, "mtime": text, "linkTarget": text}))

_cpu = object_of(
    {
        "cpu_usage!": object_of({"total_usage!": whole, "percpu_usage": list_of(whole)}),
        "system_cpu_usage": whole,
        "online_cpus": whole,
    }
)
SAMPLE = required(
    object_of(
        {
            "cpu_stats!": _cpu,
            "precpu_stats!": _cpu,
            "memory_stats": object_of({"usage": whole, "limit": whole, "stats": map_of(whole)}),
            "networks": map_of(required(object_of({"rx_bytes": whole, "tx_bytes": whole}))),
            "blkio_stats": object_of(
                {"io_service_bytes_recursive": list_of(required(object_of({"op!": text, "value!": whole})))}
            ),
            "pids_stats": object_of({"current": whole}),
        }
    )
)
PROGRESS = required(
    object_of(
        {
            "status": text,
            "id": text,
            "error": text,
            "stream": text,
            "progressDetail": object_of({"current": whole, "total": whole}),
            "aux": object_of({"ID": text}),
        }
    )
)
EVENT = required(
    object_of(
        {
            "Type": text,
            "Action": text,
            "Actor": object_of({"ID": text, "Attributes": map_of(text)}),
            "time": moment,
            "timeNano": whole,
        }
    )
)
