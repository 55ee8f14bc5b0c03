"""The dashboard's page in the system's Chromium: on the real example, and on stacks that are made up."""
