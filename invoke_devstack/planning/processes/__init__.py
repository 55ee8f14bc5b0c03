"""Processes of this machine as services: `joined` adds those of `x-devstack.processes` to a definition."""
