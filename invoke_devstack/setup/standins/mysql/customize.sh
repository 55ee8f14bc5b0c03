#!/bin/bash
# Runs once in the new root file system: lays out Debian's MySQL like the official image, and prepares a
# data directory, so that the first start is as fast as any other.
set -euo pipefail

echo 'mysql:x:999:' >>/etc/group
echo 'mysql:x:999:999::/var/lib/mysql:/bin/bash' >>/etc/passwd

install -d /etc/mysql/conf.d /docker-entrypoint-initdb.d
install -d -o mysql -g mysql /var/lib/mysql
install -d -o mysql -g mysql -m 750 /var/lib/mysql-files
install -m 755 /standin/docker-entrypoint.sh /usr/local/bin/docker-entrypoint.sh
ln -s /usr/local/bin/docker-entrypoint.sh /entrypoint.sh
rm -f /etc/mysql/my.cnf
install -m 644 /standin/my.cnf /etc/my.cnf

# `docker-entrypoint.sh` looks for this schema: it exists until the first start has created all accounts.
pending=dev_invoke_devstack_pending
{
	mysql_tzinfo_to_sql /usr/share/zoneinfo 2>/dev/null | sed '1i USE mysql;'
	echo "CREATE SCHEMA $pending;"
} >/usr/share/mysql/first.sql

data=/tmp/data
install -d -o mysql -g mysql "$data"
mysqld --initialize-insecure --datadir="$data" --init-file=/usr/share/mysql/first.sql \
	--innodb-flush-method=nosync 2>/standin/initialize.log || {
	cat /standin/initialize.log >&2
	exit 1
}
# Each data directory gets its own identity and keys at its first start.
rm -f "$data"/auto.cnf "$data"/*.pem "$data"/binlog.*
tar -C "$data" --sparse -czf /usr/share/mysql/data.tar.gz .
rm -rf "$data"
gzip -9 /usr/share/mysql/first.sql

version=$(mysqld --version | sed -n 's/.*Ver \([0-9.]*\).*/\1/p')
printf '%s\n' "MYSQL_VERSION=$version" "MYSQL_MAJOR=${version%.*}" >/standin/environment
