"""Reports what changed in the watched trees. Entry: `source.open_change_source`, which yields batches of
changes (`change_batch`); `change_batch.net_changes` says what happened to each path, and
`tree_scan.scan_trees` finds what changed while nothing was watching.
"""
