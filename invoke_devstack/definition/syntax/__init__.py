"""The notations in Compose files: YAML, `.env`, `${…}`, durations, sizes, command lines, ignore files."""
