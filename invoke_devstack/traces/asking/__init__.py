"""Answers questions about what is stored. Entry: `reading.Reading`; what it returns is in docs/json.md."""
