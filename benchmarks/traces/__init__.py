"""What traces cost, and how much of them the dashboard takes. Entry: `__main__.py`."""
