"""Ports for servers that run in processes of their own."""

import itertools
import os
import socket

# Below what Linux gives to sockets that ask for any port: between the choice of one of these and the server's start
# nobody gets it by chance. Each process of the tests begins elsewhere.
FIRST, COUNT = 20_000, 12_000
_next = itertools.count(os.getpid() * 97)


def free_port() -> int:
    """A port on 127.0.0.1 that nobody listens on; never the same twice in one process."""
    while True:
        port = FIRST + next(_next) % COUNT
        with socket.socket() as sock:
            try:
                sock.bind(("127.0.0.1", port))
            except OSError:
                continue
        return port
