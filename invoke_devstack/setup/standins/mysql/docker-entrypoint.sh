#!/bin/bash
# Runs the given command; mysqld as the user `mysql`, with a data directory created at its first start.
#
# A data directory has the file $UNFINISHED while it is created, then the schema $PENDING until the
# accounts exist and the scripts have run. No client connects before that, so a directory with either
# was interrupted, holds nobody's data, and is created again.
set -euo pipefail
shopt -s nullglob

PENDING=dev_invoke_devstack_pending
UNFINISHED=.dev-invoke-devstack-unfinished
SOCKET=/var/run/mysqld/mysqld.sock

say() {
	printf '%s [Entrypoint] %s\n' "$(date --utc +%FT%TZ)" "$*" >&2
}

fail() {
	say "ERROR: $*"
	exit 1
}

# Sets variable $1 from the file that ${1}_FILE names, if it does.
read_secret() {
	local name=$1 file="${1}_FILE"
	if [ -n "${!name:-}" ] && [ -n "${!file:-}" ]; then
		fail "both $name and $file are set; only one of them may be"
	fi
	if [ -n "${!file:-}" ]; then
		export "$name=$(<"${!file}")"
	fi
	unset "$file"
}

# $1 as an SQL string.
quote() {
	local text=${1//\\/\\\\}
	printf "'%s'" "${text//\'/\\\'}"
}

# $1 as an SQL identifier.
quote_name() {
	printf '`%s`' "${1//\`/\`\`}"
}

data_directory() {
	{
		my_print_defaults mysqld
		printf '%s\n' "${SERVER[@]}"
	} | sed -n 's/^--datadir=//p' | tail -n 1
}

check_variables() {
	if [ -z "${MYSQL_ROOT_PASSWORD-}${MYSQL_ALLOW_EMPTY_PASSWORD-}${MYSQL_RANDOM_ROOT_PASSWORD-}" ]; then
		fail "the database is new and needs one of MYSQL_ROOT_PASSWORD, MYSQL_ALLOW_EMPTY_PASSWORD" \
			"and MYSQL_RANDOM_ROOT_PASSWORD"
	fi
	if [ "${MYSQL_USER-}" = root ]; then
		fail 'MYSQL_USER cannot be root; MYSQL_ROOT_PASSWORD is for that account'
	fi
	if [ -n "${MYSQL_USER-}" ] && [ -z "${MYSQL_PASSWORD-}" ]; then
		fail 'MYSQL_USER needs MYSQL_PASSWORD'
	fi
}

# The statements that create the accounts and the database of the variables.
account_statements() {
	local password host user database
	password=$(quote "${MYSQL_ROOT_PASSWORD-}")
	host=${MYSQL_ROOT_HOST-%}
	echo "ALTER USER 'root'@'localhost' IDENTIFIED BY $password;"
	if [ -n "$host" ] && [ "$host" != localhost ]; then
		user="'root'@$(quote "$host")"
		echo "CREATE USER $user IDENTIFIED BY $password;"
		echo "GRANT ALL ON *.* TO $user WITH GRANT OPTION;"
	fi
	if [ -n "${MYSQL_ONETIME_PASSWORD-}" ]; then
		echo "ALTER USER ${user:-"'root'@'localhost'"} PASSWORD EXPIRE;"
	fi
	if [ -n "${MYSQL_DATABASE-}" ]; then
		database=$(quote_name "$MYSQL_DATABASE")
		echo "CREATE DATABASE IF NOT EXISTS $database;"
	fi
	if [ -n "${MYSQL_USER-}" ]; then
		user="$(quote "$MYSQL_USER")@'%'"
		echo "CREATE USER $user IDENTIFIED BY $(quote "$MYSQL_PASSWORD");"
		if [ -n "${MYSQL_DATABASE-}" ]; then
			# In a grant, `_` matches any character unless it is escaped.
			echo "GRANT ALL ON ${database//_/\\_}.* TO $user;"
		fi
	fi
}

# Whether an option is set that must hold from a data directory's first moment.
sets_initial_options() {
	local names='(lower[-_]case[-_]table[-_]names|innodb[-_](page[-_]size|data|undo|log|checksum|temp|redo))'
	grep -qE -- "^--(loose[-_])?$names" <(printf '%s\n' "${SERVER[@]}") ||
		grep -qshE "^[[:space:]]*(loose[-_])?$names" /etc/my.cnf /etc/mysql/conf.d/*.cnf
}

make_data_directory() {
	touch "$DATA/$UNFINISHED"
	find "$DATA" -mindepth 1 ! -name "$UNFINISHED" -delete
	if sets_initial_options; then
		say 'initialising the data directory'
		"${SERVER[@]}" --initialize-insecure --init-file=<(gzip -dc /usr/share/mysql/first.sql.gz)
	else
		tar -C "$DATA" --no-same-owner --no-overwrite-dir -xzf /usr/share/mysql/data.tar.gz
	fi
	rm "$DATA/$UNFINISHED"
}

# Runs the scripts in /docker-entrypoint-initdb.d against a server that listens only on its socket.
run_scripts() {
	local statements=$1 file client pid
	"${SERVER[@]}" --skip-networking --mysqlx=OFF --init-file=/dev/fd/3 3<<<"$statements" &
	pid=$!
	client=(mysql --protocol=socket -uroot -hlocalhost --socket="$SOCKET" --comments
		--database="${MYSQL_DATABASE-}")
	export MYSQL_PWD=${MYSQL_ROOT_PASSWORD-}
	until mysqladmin --protocol=socket -uroot --socket="$SOCKET" ping &>/dev/null; do
		kill -0 "$pid" 2>/dev/null || fail 'the server ended before it could run the scripts'
		sleep 0.05
	done
	for file in /docker-entrypoint-initdb.d/*; do
		say "running $file"
		case "$file" in
		*.sh) if [ -x "$file" ]; then env -u MYSQL_PWD "$file"; else (unset MYSQL_PWD; . "$file"); fi ;;
		*.sql) "${client[@]}" <"$file" ;;
		*.sql.gz) gzip -dc "$file" | "${client[@]}" ;;
		*.sql.bz2) bzip2 -dc "$file" | "${client[@]}" ;;
		*.sql.xz) xz -dc "$file" | "${client[@]}" ;;
		*.sql.zst) zstd -dc "$file" | "${client[@]}" ;;
		*) say "left alone: $file" ;;
		esac
	done
	mysql --protocol=socket -uroot --socket="$SOCKET" -e "DROP SCHEMA $PENDING"
	mysqladmin --protocol=socket -uroot --socket="$SOCKET" shutdown
	wait "$pid"
	unset MYSQL_PWD
}

start_first_time() {
	local statements scripts
	check_variables
	if [ -n "${MYSQL_RANDOM_ROOT_PASSWORD-}" ]; then
		MYSQL_ROOT_PASSWORD=$(head -c 24 /dev/urandom | base64 | tr '+/' '-_')
		export MYSQL_ROOT_PASSWORD
		say "GENERATED ROOT PASSWORD: $MYSQL_ROOT_PASSWORD"
	fi
	make_data_directory
	statements=$(account_statements)
	scripts=(/docker-entrypoint-initdb.d/*)
	if [ ${#scripts[@]} -gt 0 ] || [[ " ${SERVER[*]}" =~ \ --init[-_]file ]]; then
		run_scripts "$statements"
		exec "${SERVER[@]}"
	fi
	# The server runs the statements before it accepts its first connection.
	# No process substitution here: its child would be left to a server that reaps none.
	exec "${SERVER[@]}" --init-file=/dev/fd/3 3<<<"$statements
DROP SCHEMA $PENDING;"
}

if [ "${1:0:1}" = - ]; then
	set -- mysqld "$@"
fi
if [ "${1-}" != mysqld ] || [[ " $* " =~ \ (--help|--version|-V|-\?|--print-defaults|--validate-config)\  ]]; then
	exec "$@"
fi

SERVER=("$@")
DATA=$(data_directory)
if [ "$(id -u)" = 0 ]; then
	mkdir -p "$DATA" /var/run/mysqld
	find "$DATA" /var/run/mysqld ! -user mysql -exec chown mysql:mysql {} +
	exec setpriv --reuid=mysql --regid=mysql --init-groups -- "$0" "$@"
fi

for name in MYSQL_ROOT_HOST MYSQL_ROOT_PASSWORD MYSQL_DATABASE MYSQL_USER MYSQL_PASSWORD; do
	read_secret "$name"
done
if [ ! -d "$DATA/mysql" ] || [ -e "$DATA/$PENDING" ] || [ -e "$DATA/$UNFINISHED" ]; then
	start_first_time
fi
exec "$@"
