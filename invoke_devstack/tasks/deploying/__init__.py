"""Tasks about clusters: `deploy` and all below it."""
