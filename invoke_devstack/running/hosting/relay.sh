# Passes connections on, with whatever program the image has. Each argument is a route FROM=TO: FROM is a port or
# the path of a socket; TO is HOST:PORT or the path of a socket. Without routes: exits with 0 if it could.

python='
import os, signal, socket, sys, threading

def listen(place):
    if place.isdecimal():
        return socket.create_server(("", int(place)), backlog=128)
    if os.path.exists(place):
        os.unlink(place)
    server = socket.socket(socket.AF_UNIX)
    server.bind(place)
    server.listen(128)
    return server

def dial(place):
    if place.startswith("/"):
        target = socket.socket(socket.AF_UNIX)
        target.connect(place)
        return target
    host, _, port = place.rpartition(":")
    return socket.create_connection((host, int(port)))

def pump(source, sink):
    try:
        while data := source.recv(65536):
            sink.sendall(data)
        sink.shutdown(socket.SHUT_WR)
    except OSError:
        for end in (source, sink):
            try:
                end.shutdown(socket.SHUT_RDWR)
            except OSError:
                pass

def serve(connection, place):
    with connection:
        try:
            target = dial(place)
        except OSError:
            return
        with target:
            back = threading.Thread(target=pump, args=(target, connection), daemon=True)
            back.start()
            pump(connection, target)
            back.join()

def accept(server, place):
    while True:
        connection, _ = server.accept()
        threading.Thread(target=serve, args=(connection, place), daemon=True).start()

signal.signal(signal.SIGTERM, lambda *_: os._exit(0))
for route in sys.argv[1:]:
    source, _, place = route.partition("=")
    threading.Thread(target=accept, args=(listen(source), place), daemon=True).start()
while sys.argv[1:]:
    signal.pause()
'

perl='
use strict; use warnings; use IO::Socket::INET; use IO::Socket::UNIX; use IO::Select;
$SIG{TERM} = sub { exit 0 }; $SIG{CHLD} = "IGNORE"; $SIG{PIPE} = "IGNORE";
my ($select, %place) = (IO::Select->new);
for my $route (@ARGV) {
    my ($from, $to) = split /=/, $route, 2;
    unlink $from if $from =~ m{^/};
    my $server = $from =~ m{^/}
        ? IO::Socket::UNIX->new(Local => $from, Listen => 128)
        : IO::Socket::INET->new(LocalPort => $from, Listen => 128, ReuseAddr => 1);
    die "cannot listen at $from: $!\n" unless $server;
    $place{$server} = $to; $select->add($server);
}
exit 0 unless @ARGV;
sub serve {
    my ($one, $to) = @_;
    my $other = $to =~ m{^/} ? IO::Socket::UNIX->new(Peer => $to) : IO::Socket::INET->new(PeerAddr => $to);
    exit 0 unless $other;
    my $open = IO::Select->new($one, $other);
    while ($open->count) {
        for my $source ($open->can_read) {
            my $sink = $source == $one ? $other : $one;
            my $length = sysread $source, my $data, 65536;
            if (!$length) { $open->remove($source); shutdown $sink, 1; next; }
            for (my $done = 0; $done < $length;) {
                my $written = syswrite $sink, $data, $length - $done, $done;
                exit 0 unless defined $written;
                $done += $written;
            }
        }
    }
    exit 0;
}
while (1) {
    for my $server ($select->can_read) {
        my $connection = $server->accept or next;
        my $child = fork;
        if (defined $child && $child == 0) { serve($connection, $place{$server}); }
        close $connection;
    }
}
'

node='
const fs = require("fs"), net = require("net");
process.on("SIGTERM", () => process.exit(0));
for (const route of process.argv.slice(1)) {
    const at = route.indexOf("="), from = route.slice(0, at), to = route.slice(at + 1);
    const colon = to.lastIndexOf(":");
    const place = to[0] === "/" ? { path: to } : { host: to.slice(0, colon), port: +to.slice(colon + 1) };
    const server = net.createServer({ allowHalfOpen: true }, (one) => {
        const other = net.connect({ ...place, allowHalfOpen: true });
        for (const [end, peer] of [[one, other], [other, one]])
            end.on("error", () => peer.destroy()).on("close", () => peer.destroySoon());
        one.pipe(other);
        other.pipe(one);
    });
    if (from[0] === "/") fs.rmSync(from, { force: true });
    server.listen(from[0] === "/" ? from : +from);
}
'

for program in python3 python; do
    if "$program" -c 'import sys; sys.exit(sys.version_info < (3, 8))' 2>/dev/null; then
        exec "$program" -c "$python" "$@"
    fi
done
if perl -MIO::Socket::UNIX -MIO::Select -e 1 2>/dev/null; then exec perl -e "$perl" "$@"; fi
if node -e 0 2>/dev/null; then exec node -e "$node" "$@"; fi
if socat -V >/dev/null 2>&1; then
    trap 'exit 0' TERM
    for route in "$@"; do
        from=${route%%=*} to=${route#*=}
        case $from in
            /*) rm -f "$from"; from=UNIX-LISTEN:$from,fork ;;
            *) from=TCP-LISTEN:$from,fork,reuseaddr ;;
        esac
        case $to in
            /*) to=UNIX-CONNECT:$to ;;
            *) to=TCP:$to ;;
        esac
        socat "$from" "$to" &
    done
    wait
    exit 0
fi
echo "no program that can pass connections on" >&2
exit 69
