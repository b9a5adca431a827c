"""The loopback server: one thread a connection, which is quick and lets every behaviour simply wait."""

import logging
import socket
import threading
from collections.abc import Callable

from llm.simulator.connection import Connection, Gone, HttpRequest

logger = logging.getLogger(__name__)
BACKLOG = 512


class Server:
    """Accepts connections and hands their requests to `handle`, one after the other."""

    def __init__(self, host: str, port: int, handle: Callable[[Connection, HttpRequest], None]) -> None:
        """Binds at once (port 0: any free one). Raises OSError when the port is taken."""
        self._handle = handle
        self._listener = socket.create_server((host, port), backlog=BACKLOG)
        self.host, self.port = self._listener.getsockname()[:2]
        self._closing = threading.Event()
        self._lock = threading.Lock()
        self._connections: set[Connection] = set()
        self._name = f"simulator http://{self.host}:{self.port}"  # of all its threads
        self._thread = threading.Thread(target=self._accept, name=self._name, daemon=True)

    def start(self) -> None:
        self._thread.start()

    def close(self) -> None:
        """Stops at once: hanging answers end, and no thread is left waiting."""
        if self._closing.is_set():
            return
        self._closing.set()
        if self._thread.is_alive():
            socket.create_connection((self.host, self.port)).close()  # wakes the accepting thread
            self._thread.join()
        self._listener.close()
        with self._lock:
            for connection in self._connections:
                connection.shut()

    def _accept(self) -> None:
        while not self._closing.is_set():
            try:
                sock, _ = self._listener.accept()
            except OSError:
                continue
            connection = Connection(sock, self._closing)
            with self._lock:
                self._connections.add(connection)
            threading.Thread(target=self._serve, args=(connection,), name=self._name, daemon=True).start()

    def _serve(self, connection: Connection) -> None:
        try:
            while True:
                request = connection.read_request()
                self._answer(connection, request)
                if request.headers.get("connection", "").lower() == "close":
                    return
        except (Gone, ValueError):
            pass  # ValueError: not HTTP
        finally:
            with self._lock:
                self._connections.discard(connection)
            connection.close()

    def _answer(self, connection: Connection, request: HttpRequest) -> None:
        try:
            self._handle(connection, request)
        except Gone:
            raise
        except Exception:
            logger.exception("the simulator failed on %s %s", request.method, request.path)
            connection.send(500, {"content-type": "text/plain"}, b"simulator bug, see its log")
            raise Gone from None
