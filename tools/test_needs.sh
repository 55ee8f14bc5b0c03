#!/bin/sh
# Installs what the tests use beside Python packages, where apt and root are at hand: a browser, a small
# static shell for test images, a terminal multiplexer, the shells whose completion is tested, an sshd, and
# Docker Compose, which many tests compare with.
# A second engine is optional: its tests skip, and say so. Where the folder of peers lies beside the
# repository, it is started.
set -eu

say() { printf '%s\n' "$*" >&2; }

missing=
command -v chromium >/dev/null || missing="$missing chromium"
command -v tmux >/dev/null || missing="$missing tmux"
command -v zsh >/dev/null || missing="$missing zsh"
command -v fish >/dev/null || missing="$missing fish"
[ -x /bin/busybox ] || missing="$missing busybox-static"
command -v ip >/dev/null || missing="$missing iproute2"
command -v ssh-agent >/dev/null || missing="$missing openssh-client"
needs_sshd=; [ -x /usr/sbin/sshd ] || { needs_sshd=1; missing="$missing openssh-server"; }

if [ -n "$missing" ]; then
	if [ "$(id -u)" = 0 ] && command -v apt-get >/dev/null; then
		say "Installing what the tests use:$missing"
		apt-get update -qq
		# Debian's ssh does not start as a service of the machine where this file is.
		[ -z "$needs_sshd" ] || { mkdir -p /etc/ssh && : >/etc/ssh/sshd_not_to_be_run; }
		# shellcheck disable=SC2086 # a list of words
		DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends $missing >/dev/null
	else
		say "The tests use what is not here; some will skip. For all: sudo apt-get install -y$missing"
	fi
fi

# A registry for the tests of pull and push: its program alone, because the installed package would start it
# as a service of the machine.
unpack_registry() {
	folder=$(mktemp -d)
	chmod 755 "$folder"
	(
		cd "$folder"
		apt-get download -qq docker-registry || { apt-get update -qq && apt-get download -qq docker-registry; }
		dpkg-deb -x docker-registry_*.deb .
	) >/dev/null 2>&1 && cp "$folder/usr/bin/docker-registry" .venv/bin/
	rm -rf "$folder"
}

if ! command -v docker-registry >/dev/null && [ ! -x .venv/bin/docker-registry ]; then
	say "Getting the registry of the tests"
	unpack_registry || say "No docker-registry; the tests of pull and push with a real one skip"
fi

# Both engines take the bridge docker0 for their own, and the second one gives it another address: without its
# first one, builds on the first engine have no network.
give_bridge_its_address_back() {
	subnet=$(docker -H unix:///var/run/docker.sock network inspect bridge -f '{{(index .IPAM.Config 0).Subnet}}')
	ip addr add "${subnet%.*}.1/${subnet#*/}" dev docker0 2>/dev/null || true
}

# The second engine has all its networks in 172.31.0.0/16, and the first takes that range as one of many: while
# one of its networks has it, the second has "no address range left". A range in use is one that nobody takes
# whole, so a bridge of ours sits at its end.
keep_range_of_second_engine() {
	ip link show devstack-range >/dev/null 2>&1 && return
	ip link add devstack-range type bridge &&
		ip addr add 172.31.255.1/24 dev devstack-range &&
		ip link set devstack-range up || say "172.31.0.0/16 is not kept free for the second engine"
}

if command -v apt-get >/dev/null; then
	sh "$(dirname "$0")/compose.sh" || say "Docker Compose could not be installed: tests beside it cannot pass"
fi

second=${DEVSTACK_PEERS:-../shared/peers}/engine28
if [ "$(id -u)" = 0 ] && [ -x "$second" ]; then
	"$second" start >/dev/null 2>&1 || say "The second engine did not start; its tests skip"
	give_bridge_its_address_back
	keep_range_of_second_engine
fi
