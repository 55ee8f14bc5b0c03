"""The images of services. Entries: `build.build_images`, `transfer.pull` and `push`, `removal.unused` and
`remove`, `layers.layers_of`.
"""
