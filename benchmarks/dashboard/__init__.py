"""The dashboard: how soon its page answers, and what it takes under load. Nothing else does the same work, so
its other side is the limit that each row must keep."""
