#!/bin/sh
# Runs once in the new root file system: lays out Debian's Redis like the official image.
set -eu

# Debian's package created a user with the next free number; volumes have the official one.
sed -i '/^redis:/d' /etc/passwd /etc/group /etc/shadow /etc/gshadow
echo 'redis:x:999:' >>/etc/group
echo 'redis:x:999:999::/data:/usr/sbin/nologin' >>/etc/passwd

install -d -o redis -g redis /data
install -m 755 /standin/docker-entrypoint.sh /usr/local/bin/docker-entrypoint.sh
rm -rf /etc/redis /var/lib/redis /var/log/redis

version=$(redis-server --version | sed -n 's/.* v=\([0-9.]*\) .*/\1/p')
echo "REDIS_VERSION=$version" >/standin/environment
