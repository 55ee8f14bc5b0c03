"""Waits until services are ready. Entries: `waiting.await_ready`, `ready_now.ready_now`.

`probes` asks a server once, `asking` decides how and how often, `announcing` reports what is ready,
`diagnosis` explains failures, and `crash_check` checks at the end that nothing has crashed.
"""
