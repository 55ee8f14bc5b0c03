"""The files around the package: those of the site, of GitHub, of pre-commit."""
