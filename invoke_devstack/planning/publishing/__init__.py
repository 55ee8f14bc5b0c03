"""A definition as an artifact in a registry: its layout, and what would become public. Entries:
`artifact.layers_of`, `artifact.manifest_of`, `disclosure.disclosed`.
"""
