"""The `docker` commands equivalent to what we do. Entries: `docker_commands.docker_commands` for an action,
`script.script` for a plan, `task_commands` for tasks without a plan.
"""
