"""Stores rows in SQLite, within bounds of size and age. Entry: `writer.Writer`."""
