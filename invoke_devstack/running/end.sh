# Ends the processes of a container, given by its whole id. SIGTERM comes first; what is left after 10 s gets
# SIGKILL. Prints `ended` and how many there were, or exits with 27 if some are left even then.
# Sees all processes of the machine. Runs in the shell of any image: busybox, dash, bash.
set -eu

processes() { # the group of a process has the id in its name, with every driver and version of groups
    grep -ls "$1" /proc/[0-9]*/cgroup | while IFS=/ read -r _ _ number _; do echo "$number"; done
}

await() { # at most so many tenths of a second
    left=$2
    while [ "$left" -gt 0 ] && [ -n "$(processes "$1")" ]; do
        sleep 0.1 2>/dev/null || sleep 1 # not every sleep knows parts of seconds
        left=$((left - 1))
    done
}

count=0
for number in $(processes "$1"); do
    count=$((count + 1))
    kill -TERM "$number" 2>/dev/null || true
done
await "$1" 100
for number in $(processes "$1"); do
    kill -KILL "$number" 2>/dev/null || true
done
await "$1" 20
if [ -n "$(processes "$1")" ]; then
    exit 27
fi
echo "ended $count"
