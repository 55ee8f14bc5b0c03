#!/bin/sh
# Installs Docker Compose and buildx for this user, where docker looks for its plugins, from Debian
# unstable through the mirror that this machine's apt uses: Debian 12 has neither. The system's own
# packages and lists stay as they are.
set -eu

plugins=$HOME/.docker/cli-plugins
if docker compose version >/dev/null 2>&1 && docker buildx version >/dev/null 2>&1; then
	exit 0
fi

mirror=$(apt-get indextargets --format '$(REPO_URI) $(RELEASE)' 'Created-By: Packages' |
	awk '$1 ~ /\/debian\/?$/ && $2 !~ /-/ { print $1; exit }')
[ -n "$mirror" ] || { echo "this machine's apt knows no Debian mirror" >&2; exit 1; }

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
mkdir -p "$work/lists/partial" "$work/root"
echo "deb [signed-by=/usr/share/keyrings/debian-archive-keyring.gpg] $mirror sid main" >"$work/sources"
unstable() {
	apt-get -qq --option Dir::Etc::SourceList="$work/sources" --option Dir::Etc::SourceParts=- \
		--option Dir::State::Lists="$work/lists" --option Acquire::Check-Valid-Until=false \
		--option APT::Sandbox::User=root "$@"
}
unstable update
(cd "$work" && unstable download docker-compose docker-buildx)
for package in "$work"/*.deb; do
	dpkg-deb --extract "$package" "$work/root"
done
mkdir -p "$plugins"
find "$work/root" -path '*/cli-plugins/*' -type f -exec cp {} "$plugins" \;
