# Copies everything below /from into /to and prints its size in bytes and the number of its entries (0 if this
# image cannot count them). Exits with 28 if there is no space.
# Runs in the shell of any image: busybox, dash, bash.
set -eu

kilobytes() {
    du -sk "$1" | { read -r amount _; echo "$amount"; }
}

free_kilobytes() {
    df -Pk "$1" | { read -r _; read -r _ _ _ amount _; echo "$amount"; }
}

entries() { # without sockets, which no archive has
    find "$1" ! -type s -exec sh -c 'echo $#' sh {} + | {
        sum=0
        while read -r number; do sum=$((sum + number)); done
        echo "$sum"
    }
}

needed=$(kilobytes /from)
free=$(free_kilobytes /to)
if [ "$needed" -gt "$free" ]; then
    echo "no space: $((needed * 1024)) bytes are needed, $((free * 1024)) are free" >&2
    exit 28
fi
share= # on Btrfs, and XFS with reflinks, files share their blocks until one of them is written to
if cp --reflink=auto /dev/null /dev/zero 2>/dev/null; then # not every cp knows it
    share=--reflink=auto
fi
cp -a $share /from/. /to/
sync
echo "bytes $(($(kilobytes /to) * 1024))"
echo "entries $(entries /to)"
