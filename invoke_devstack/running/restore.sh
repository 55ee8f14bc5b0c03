# Replaces the content of the volumes below /to, whose names are the last arguments, with the directories of
# /from. The first argument is `restore`, followed by the number of entries that /from must have (0: unknown);
# or `finish`, to end an interrupted restore.
#
# The old data stays in place until all of the new data is copied beside it and on disk. Then the directory
# `part` of the first volume is renamed to `new`: the new data counts from that moment on, the old data until
# then. Only renames follow, and each of them can be repeated.
#
# Exits with 0 if one of both is in place, and prints which one: `result old`, `result new`, or `result none`
# if nothing was left of a restore. Exits with 26 if /from is damaged, 28 if there is no space, 27 after
# another failure: the old data is in place then. After any other code (it was killed, a rename failed), call
# it again with `finish`.
# Runs in the shell of any image: busybox, dash, bash.
set -eu

work=.devstack-restore
over=.devstack-restored

move_all() { # everything in directory $1 into directory $2, except our own directories
    for entry in "$1"/* "$1"/.[!.]* "$1"/..?*; do
        [ -e "$entry" ] || [ -L "$entry" ] || continue
        case "${entry##*/}" in "$work" | "$over") continue ;; esac
        mv "$entry" "$2/"
    done
}

put_in_place() { # the new data of one volume
    home=/to/$1/$work
    [ ! -d "$home/part" ] || mv "$home/part" "$home/new"
    [ -d "$home/new" ] || return 0
    if [ ! -e "$home/out" ]; then
        mkdir -p "$home/old"
        move_all "/to/$1" "$home/old"
        : >"$home/out"
    fi
    move_all "$home/new" "/to/$1"
    cp -a "$home/new/." "/to/$1/" # owner and mode of the directory itself
}

what_is_left() { # of a restore that has not switched over, or had already put its data in place
    left=none
    for key in "$@"; do
        [ ! -d "/to/$key/$work" ] || left=old
    done
    for key in "$@"; do
        [ ! -d "/to/$key/$over" ] || left=new
    done
    echo "$left"
}

finish() {
    result=$(what_is_left "$@")
    first=$1
    if [ -d "/to/$first/$work/new" ]; then
        for key in "$@"; do
            put_in_place "$key"
        done
        sync
        shift
        for key in "$@" "$first"; do
            [ ! -d "/to/$key/$work" ] || mv "/to/$key/$work" "/to/$key/$over"
        done
        set -- "$first" "$@"
        result=new
    fi
    for key in "$@"; do
        rm -rf "/to/$key/$work" "/to/$key/$over"
    done
    echo "result $result"
}

kilobytes() {
    du -sk "$1" | { read -r amount _; echo "$amount"; }
}

free_kilobytes() {
    df -Pk "$1" | { read -r _; read -r _ _ _ amount _; echo "$amount"; }
}

entries() { # without sockets, which no archive has; 0 if this image cannot count them
    find "$1" ! -type s -exec sh -c 'echo $#' sh {} + | {
        sum=0
        while read -r number; do sum=$((sum + number)); done
        echo "$sum"
    }
}

check_source() { # it must have $1 entries
    found=$(entries /from)
    [ "$1" = 0 ] || [ "$found" = 0 ] || [ "$found" = "$1" ] || {
        echo "the snapshot has $found files and directories instead of $1" >&2
        return 26
    }
}

copy_beside() {
    needed=$(kilobytes "/from/$1")
    free=$(free_kilobytes "/to/$1")
    if [ "$needed" -gt "$free" ]; then
        echo "no space: $((needed * 1024)) bytes are needed beside the old data, $((free * 1024)) are free" >&2
        return 28
    fi
    mkdir -p "/to/$1/$work" && cp -a $share "/from/$1" "/to/$1/$work/part" || return 27
}

what=$1
shift
if [ "$what" = finish ]; then
    finish "$@"
    exit 0
fi
expected=$1
shift
check_source "$expected" || exit $?
finish "$@" >/dev/null
share= # blocks with the snapshot, on Btrfs, and XFS with reflinks; not every cp knows it
if cp --reflink=auto /dev/null /dev/zero 2>/dev/null; then
    share=--reflink=auto
fi
for key in "$@"; do
    copy_beside "$key" || {
        code=$?
        finish "$@"
        exit "$code"
    }
done
sync
mv "/to/$1/$work/part" "/to/$1/$work/new"
finish "$@"
