"""This repository's own stack."""
