"""What takes part in a definition (`selection`), and what must fit together in it (`consistency`)."""
