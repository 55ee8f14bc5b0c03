"""`invoke doctor`: checks what a stack needs, and says how to fix it. Entry point: `run_doctor`."""

from invoke_devstack.setup.doctor.check import Check
from invoke_devstack.setup.doctor.examine import run_doctor

__all__ = ["Check", "run_doctor"]
