"""Processes of this machine: `x-devstack.host` of a service, and `x-devstack.processes`. `process` declares
their keys; `definition.reading.block.read_process` reads them."""
