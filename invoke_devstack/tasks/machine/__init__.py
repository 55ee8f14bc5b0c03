"""Tasks for the machine and a new project: doctor, setup, init."""
