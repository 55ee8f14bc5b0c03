"""A definition as manifests of Kubernetes. Nothing here contacts a cluster.

Entry: `export.export`.
"""
