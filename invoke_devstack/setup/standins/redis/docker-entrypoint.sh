#!/bin/sh
# Runs the given command; Redis as the user `redis`, with the official image's defaults.
set -eu

# Only options or a configuration file: run redis-server with them.
case "${1:-}" in
-* | *.conf) set -- redis-server "$@" ;;
esac

if [ "${1:-}" = redis-server ] && [ "$(id -u)" = 0 ]; then
	find . ! -user redis -exec chown redis:redis {} +
	exec setpriv --reuid=redis --regid=redis --clear-groups -- "$0" "$@"
fi

if [ "$(umask)" = 0022 ]; then
	umask 0077
fi

# The official image is built with protected mode off, so that other containers may connect.
# As the first option it is only a default: a later option, or a line of the file, wins.
if [ "${1:-}" = redis-server ]; then
	shift
	case "${1:-}" in
	-v | --version | -h | --help | --test-memory | --check-system) ;;
	'' | --*) set -- --protected-mode no "$@" ;;
	-) ;;
	*)
		if ! grep -qsE '^[[:space:]]*protected-mode[[:space:]]' "$1"; then
			file=$1
			shift
			set -- "$file" --protected-mode no "$@"
		fi
		;;
	esac
	set -- redis-server "$@"
fi

exec "$@"
