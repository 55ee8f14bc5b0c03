"""From files to one tree in long form. Entry points: `discover`, `files.read_files`, `normalise`."""
