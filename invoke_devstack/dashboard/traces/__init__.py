"""Takes what the stack's services send over OTLP while the dashboard runs, and answers the pages about it.

Entry: `collector.Collector`. What is stored, and how it is read, is the room `traces`.
"""
