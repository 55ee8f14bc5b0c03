"""Reaches into containers. Entries: `exec.execute` (`invoke exec`), `one_off.run` (`invoke run`), `copy.copy`
(`invoke cp`).
"""
