"""`invoke doctor`: each thing that a stack needs, what was found, and what mends it."""

from invoke_devstack.setup.doctor.check import Check
from invoke_devstack.setup.doctor.examine import run_doctor

__all__ = ["Check", "run_doctor"]
