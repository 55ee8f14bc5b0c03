"""Gives programs the stack of this tasks.py, and has its tasks done for them. Entry: `host.WorkHost`."""
