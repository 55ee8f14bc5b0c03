#!/bin/sh
# Runs once in the new root file system: lays out Debian's Python like the official image, with interpreter, pip and what pip installs under /usr/local.
set -eu

# What a Dockerfile installs belongs to this interpreter; there is no system Python to protect.
rm -f /usr/lib/python3*/EXTERNALLY-MANAGED

# As a virtual environment /usr/local has the paths that Dockerfiles rely on, such as `site-packages`
# and `pip install --prefix`; Debian's own layout differs. With the system's packages included,
# `pip install --user` works too.
install -d /usr/local/lib/python3.13/site-packages
printf '%s\n' 'home = /usr/bin' 'include-system-site-packages = true' >/usr/local/pyvenv.cfg
for name in python python3 python3.13; do
	ln -s /usr/bin/python3.13 /usr/local/bin/$name
done

wheel=$(echo /usr/share/python-wheels/pip-*.whl)
PYTHONPATH=$wheel /usr/local/bin/python3 -m pip install --quiet --no-index --no-cache-dir \
	--root-user-action=ignore --find-links /usr/share/python-wheels pip
find / -xdev -name __pycache__ -type d -prune -exec rm -rf {} +

version=$(python3 -c 'import platform; print(platform.python_version())')
echo "PYTHON_VERSION=$version" >/standin/environment
