"""This repository's own stack."""

from invoke_devstack import stack

namespace = stack()
