"""The built package: what it contains, and that it works where no clone of the repository is."""
