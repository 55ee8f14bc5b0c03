"""A local dev-stack launcher for Invoke and Make."""

__version__ = "0.1.0"
