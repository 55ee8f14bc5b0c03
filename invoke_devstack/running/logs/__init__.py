"""Reads the logs of a stack. Entries: `show.show` for the task, `follow.Follower` for an attached `up`.

`sources` finds the containers, `history` merges their logs by time, `reader` and `position` resume a log
without losing or repeating a line, and `lines` handles blocks of stamped lines.
"""
