"""Builds of images: which builder, and the request to it."""

from __future__ import annotations

from invoke_devstack.engine.api import Api


class Builds:
    """The part of the engine that builds."""

    _api: Api
