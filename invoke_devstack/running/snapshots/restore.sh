# Puts the folders of /from (one a volume) in place of what is in the volumes below /to, whose names are the
# arguments after the first. The first is `restore`, or `settle` to end what an interrupted restore began.
#
# The old data stay as they are until all of the new is copied beside them and on disk. Then the folder `part`
# of the first volume becomes `new`: from that moment on the new data hold, before it the old ones. What
# follows are renames alone, and each of them can be done again. Ends with 28 where there is no room.
# Runs in the shell of whatever image is there: busybox, dash, bash.
set -eu

work=.devstack-restore
over=.devstack-restored

move_all() { # all of folder $1 into folder $2, but for our own folders
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
    cp -a "$home/new/." "/to/$1/" # owner and mode of the folder itself
}

settle() {
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
    fi
    for key in "$@"; do
        rm -rf "/to/$key/$work" "/to/$key/$over"
    done
}

kilobytes() {
    du -sk "$1" | { read -r amount _; echo "$amount"; }
}

free_kilobytes() {
    df -Pk "$1" | { read -r _; read -r _ _ _ amount _; echo "$amount"; }
}

copy_beside() {
    needed=$(kilobytes "/from/$1")
    free=$(free_kilobytes "/to/$1")
    if [ "$needed" -gt "$free" ]; then
        echo "no room: $((needed * 1024)) bytes are needed beside the old data, $((free * 1024)) are free" >&2
        return 28
    fi
    mkdir -p "/to/$1/$work" && cp -a "/from/$1" "/to/$1/$work/part"
}

what=$1
shift
settle "$@"
[ "$what" = restore ] || exit 0
for key in "$@"; do
    copy_beside "$key" || {
        code=$?
        settle "$@"
        exit "$code"
    }
done
sync
mv "/to/$1/$work/part" "/to/$1/$work/new"
settle "$@"
