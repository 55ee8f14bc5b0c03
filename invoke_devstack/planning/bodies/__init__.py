"""JSON bodies of the Engine API. Entries: `container.container_body`, `networks.network_body`,
`mounts.volume_body`; a key that the engine takes as it is belongs in `plain_keys`.
"""
