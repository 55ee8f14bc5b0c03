# Copies all that is below /from into /to and prints its bytes. Ends with 28 where there is no room for it.
# Runs in the shell of whatever image is there: busybox, dash, bash.
set -eu

kilobytes() {
    du -sk "$1" | { read -r amount _; echo "$amount"; }
}

free_kilobytes() {
    df -Pk "$1" | { read -r _; read -r _ _ _ amount _; echo "$amount"; }
}

needed=$(kilobytes /from)
free=$(free_kilobytes /to)
if [ "$needed" -gt "$free" ]; then
    echo "no room: $((needed * 1024)) bytes are needed, $((free * 1024)) are free" >&2
    exit 28
fi
cp -a /from/. /to/
sync
echo "bytes $(($(kilobytes /to) * 1024))"
