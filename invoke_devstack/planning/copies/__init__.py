"""Isolated copies of a stack: what a copy is called and what says so on the engine (`copies`), and what
becomes of the definition in it (`isolated`). A copy is a project of its own on the engine, whose files are
the stack's.
"""
