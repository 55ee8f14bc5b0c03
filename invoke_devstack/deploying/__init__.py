"""The same stack on a cluster: checked, planned, rolled out, watched, and taken back if it does not run.

Start at `deploy.deploy`. Nothing of ours runs on the cluster, and all state is in it.
"""
