"""Tasks that act on containers (`lifecycle`), show information about them (`inspection`), or run something in
them (`inside`)."""
