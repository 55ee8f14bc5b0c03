"""What services tell of their requests: received, masked, kept in SQLite, and read again.

`receiving/` makes rows of what a service sends (OTLP) and `keeping/` stores them; `asking/` answers
questions. `places.py` says where a project's traces are, and under which key and port they are taken.
Only `receiving/` imports OpenTelemetry's messages (the extra `[dashboard]`), so reading needs no library.
"""
