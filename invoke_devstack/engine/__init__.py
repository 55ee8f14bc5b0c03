"""The only room that speaks to an engine, over the Docker Engine API, and the only one that imports docker.

Entry points: `connect.connect()` returns a `DockerEngine`; `protocol.Engine` is what the other rooms rely on;
`endpoints` finds the engine's address. Subrooms: `transport` (requests and streams), `containers`, `images`
and `builds`, each a part of `DockerEngine`.
"""
