#!/bin/sh
# Makes or updates the virtual environment: venv.sh PYTHON FOLDER WHAT
# WHAT is what pip installs into it: `.[all]`, with the packages of requirements.txt, or `.[dev]`, with those of
# requirements-dev.txt.
set -eu

python=$1 folder=$2 what=$3
case $what in
*dev*) lock=requirements-dev.txt ;;
*) lock=requirements.txt ;;
esac

say() { printf '%s\n' "$*" >&2; }

is_new_enough() { "$1" -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null; }

find_python() {
	for candidate in "$python" python3 python3.14 python3.13 python3.12 python3.11; do
		if is_new_enough "$candidate"; then
			printf '%s' "$candidate"
			return
		fi
	done
	say "error: no Python 3.11 or newer was found"
	say "hint: install one, or name it: make PYTHON=/path/to/python3.11 up"
	exit 1
}

works() { "$folder/bin/python" -m pip --version >/dev/null 2>&1; }

# Debian and Ubuntu split ensurepip off into a package of its own.
install_venv_package() {
	package=python3-venv
	if [ "$(id -u)" != 0 ] || ! command -v apt-get >/dev/null; then
		say "error: $1 cannot make a virtual environment: its ensurepip is missing"
		say "hint: install it, then try again: sudo apt-get install -y $package"
		exit 1
	fi
	say "Installing $package, which Debian keeps apart from Python"
	apt-get update -qq
	DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends "$package" >/dev/null
}

make_venv() {
	interpreter=$(find_python)
	say "Making the virtual environment $folder"
	if "$interpreter" -c 'import ensurepip, venv' 2>/dev/null; then
		"$interpreter" -m venv --clear "$folder"
	else
		install_venv_package "$interpreter"
		"$(find_python)" -m venv --clear "$folder"
	fi
}

works || make_venv

# What this machine trusts, pip trusts too: a network may re-sign TLS with an authority of its own.
bundle=/etc/ssl/certs/ca-certificates.crt
if [ -z "${PIP_CERT:-}" ] && [ -f "$bundle" ]; then
	export PIP_CERT=$bundle
fi
say "Installing $what into $folder"
pip() { "$folder/bin/python" -m pip "$@" --quiet --disable-pip-version-check; }
# Exactly the packages that the tests ran with, by their hashes: a release of today breaks no clone.
pip install --require-hashes --requirement "$lock"
# With what builds the package from the lock too; what the lock lacks, after an edit of pyproject.toml, is got without it.
# The folder is on Python's path, instead of a finder that every process imports: 10 ms of each command.
pip install --no-build-isolation --editable "$what"

# Where PYTHONDONTWRITEBYTECODE is set, as many developers have it, Python would compile the plugin anew for every
# command: a third of the time of `ps`. A file that is changed later counts as changed.
"$folder/bin/python" -m compileall -q invoke_devstack
