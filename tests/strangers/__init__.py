"""Strangers: the built wheel on machines that have never seen this repository (`invoke test.strangers`)."""
