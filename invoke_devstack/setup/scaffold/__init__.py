"""`invoke init`: looks at a project and writes a first definition. Entry point: `write.write_first_files`."""
