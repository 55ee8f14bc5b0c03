"""Makes rows of what services send: OTLP in protobuf or JSON, checked, masked and cut.

Entry: `messages.read_message`, then `spans.rows`, `logs.rows` or `points.rows`.
"""
