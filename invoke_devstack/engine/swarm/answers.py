"""The shapes of a swarm's answers: the members that this program reads."""

from __future__ import annotations

from invoke_devstack.engine.transport.checking import (
    anything,
    list_of,
    map_of,
    object_of,
    required,
    text,
    truth,
    whole,
)

_labels = map_of(text)
_version = object_of({"Index!": whole})
_spec = object_of({"Name": text, "Labels": _labels})

SWARM = required(object_of({"Swarm": object_of({"LocalNodeState": text, "ControlAvailable": truth})}))
INSPECTED = required(
    object_of({"ID!": text, "JoinTokens": object_of({"Worker": text, "Manager": text}), "Version": _version})
)
CREATED = required(object_of({"ID!": text, "Warnings": list_of(text), "Warning": text}))
OBJECTS = required(list_of(required(object_of({"ID!": text, "Version!": _version, "Spec!": _spec}))))
NODES = required(
    list_of(
        required(
            object_of(
                {
                    "ID!": text,
                    "Version!": _version,
                    "Spec!": object_of({"Availability": text, "Role": text, "Labels": _labels}),
                    "Description": object_of(
                        {
                            "Hostname": text,
                            "Platform": object_of({"Architecture": text, "OS": text}),
                            "Resources": object_of({"NanoCPUs": whole, "MemoryBytes": whole}),
                            "Engine": object_of({"EngineVersion": text, "Labels": _labels}),
                        }
                    ),
                    "Status!": object_of({"State": text, "Addr": text, "Message": text}),
                }
            )
        )
    )
)
TASKS = required(
    list_of(
        required(
            object_of(
                {
                    "ID!": text,
                    "ServiceID": text,
                    "NodeID": text,
                    "Slot": whole,
                    "DesiredState!": text,
                    "CreatedAt": text,
                    "Spec!": object_of({}),
                    "Status!": object_of(
                        {
                            "State!": text,
                            "Err": text,
                            "Message": text,
                            "Timestamp": text,
                            "ContainerStatus": object_of({"ContainerID": text, "ExitCode": whole}),
                        }
                    ),
                    "JobIteration": object_of({"Index": whole}),
                }
            )
        )
    )
)
NETWORKS = required(
    list_of(
        required(object_of({"Id!": text, "Name!": text, "Driver": text, "Labels": _labels, "Scope": text}))
    )
)
DISTRIBUTION = required(
    object_of(
        {
            "Descriptor!": object_of({"digest!": text}),
            "Platforms": list_of(required(object_of({"architecture": text, "os": text}))),
        }
    )
)
TEXT = required(text)
ANYTHING = anything
