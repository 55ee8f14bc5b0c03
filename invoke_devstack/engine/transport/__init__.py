"""Requests and streams. Entry points: `api.Api` sends requests, `streams.Streams` follows logs and events,
`failures.refusal` and `failures.lost` turn what goes wrong into our errors."""
