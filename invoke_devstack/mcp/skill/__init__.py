"""What an agent reads: a short text about this stack (`text`), put between marks (`section`) into the files
that agents look for (`files`). Entry: `files.planned`, `files.write`."""
