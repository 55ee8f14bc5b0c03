"""Asks for `http://NAME:PORT/` so many times a second until its stdin ends, and prints how often which answer
came, as JSON.

It runs in the network of a container, whose embedded DNS it asks before every request, and imports nothing
but the standard library: `nsenter --net=… python client.py NAME PORT RATE`.
"""

from __future__ import annotations

import http.client
import json
import random
import socket
import struct
import sys
import threading
import time
from collections import Counter
from concurrent.futures import ThreadPoolExecutor

_DNS = ("127.0.0.11", 53)
_PATIENCE = 5.0  # seconds
_AT_ONCE = 32


def address_of(name: str) -> str:
    """One of its addresses. Raises OSError if there is none."""
    number = random.getrandbits(16)
    words = b"".join(bytes([len(part)]) + part.encode() for part in name.split("."))
    question = words + b"\0" + struct.pack("!HH", 1, 1)
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as asking:
        asking.settimeout(_PATIENCE)
        asking.sendto(struct.pack("!6H", number, 0x0100, 1, 0, 0, 0) + question, _DNS)
        answer = asking.recv(2048)
    count = struct.unpack("!H", answer[6:8])[0]
    if not count:
        raise OSError(f"no address of {name}")
    record = answer[12 + len(question) :]
    after_name = 2 if record[0] & 0xC0 else record.index(0) + 1
    # Then: type, class, time to live, length, and four bytes of address.
    return socket.inet_ntoa(record[after_name + 10 : after_name + 14])


def ask(name: str, port: int) -> str:
    """The answer, or what went wrong."""
    try:
        connection = http.client.HTTPConnection(address_of(name), port, timeout=_PATIENCE)
        connection.request("GET", "/")
        response = connection.getresponse()
        text = response.read().decode().strip()
        return text if response.status == 200 else f"failed: status {response.status}"
    except (OSError, http.client.HTTPException) as error:
        return f"failed: {error!r}"


def _wait_for_the_end(ended: threading.Event) -> None:
    sys.stdin.read()
    ended.set()


def main(name: str, port: int, rate: float) -> None:
    ended = threading.Event()
    threading.Thread(target=_wait_for_the_end, args=(ended,), daemon=True).start()
    print("begun", flush=True)
    answers: list[str] = []
    with ThreadPoolExecutor(_AT_ONCE) as pool:
        turn = time.monotonic()
        while not ended.wait(max(turn - time.monotonic(), 0)):
            turn += 1 / rate
            pool.submit(lambda: answers.append(ask(name, port)))
    print(json.dumps(Counter(answers)))


if __name__ == "__main__":
    main(sys.argv[1], int(sys.argv[2]), float(sys.argv[3]))
