"""A TCP relay on loopback that can be cut: how a drill takes Redis away without touching it."""

import contextlib
import socket
import threading


class Relay:
    """Passes connections on to (host, port) while it is not `cut`. Its own port is `port`."""

    def __init__(self, host: str, port: int) -> None:
        self._to = (host, port)
        self._listener = socket.create_server(("127.0.0.1", 0), backlog=256)
        self.port: int = self._listener.getsockname()[1]
        self._open: set[socket.socket] = set()
        self._cut = False
        threading.Thread(target=self._accept, name="relay", daemon=True).start()

    def cut(self, yes: bool) -> None:
        """Ends every connection and refuses new ones, or lets them pass again."""
        self._cut = yes
        for sock in list(self._open) if yes else []:
            _end(sock)

    def close(self) -> None:
        self.cut(True)
        self._listener.close()

    def _accept(self) -> None:
        while True:
            try:
                near, _ = self._listener.accept()
            except OSError:
                return
            try:
                if self._cut:
                    raise OSError
                far = socket.create_connection(self._to, timeout=5)
            except OSError:
                near.close()
                continue
            far.settimeout(None)
            self._open |= {near, far}
            for one, other in ((near, far), (far, near)):
                threading.Thread(target=self._pass_on, args=(one, other), daemon=True).start()

    def _pass_on(self, source: socket.socket, target: socket.socket) -> None:
        with contextlib.suppress(OSError):
            while data := source.recv(65536):
                target.sendall(data)
        for sock in (source, target):
            _end(sock)
            self._open.discard(sock)


def _end(sock: socket.socket) -> None:
    with contextlib.suppress(OSError):
        sock.shutdown(socket.SHUT_RDWR)
    sock.close()
