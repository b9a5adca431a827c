"""How a worker comes by its connections, when several of them share one listening socket."""

import asyncio
import logging
import socket
from collections.abc import Callable

log = logging.getLogger(__name__)

PAUSE_S = 1.0  # after an error, such as no file left: looked at again then


class Listener:
    """Takes one connection a turn of its loop, so that a burst is shared by all workers that have time for it.

    asyncio's own server takes all that wait, up to a hundred at once: whoever wakes first would have the whole burst,
    and keep it for as long as its connections are kept alive, while the others have nothing to do.
    """

    def __init__(
        self,
        loop: asyncio.AbstractEventLoop,
        listening: socket.socket,
        make: Callable[[], asyncio.BaseProtocol],
    ) -> None:
        self._loop, self._socket, self._make = loop, listening, make
        self._begun: set[asyncio.Task[None]] = set()
        listening.setblocking(False)
        self._open()

    def close(self) -> None:
        """Takes no more, and gives the socket up, so that nobody waits in its queue once all workers have left."""
        if self._socket.fileno() >= 0:
            self._loop.remove_reader(self._socket)
            self._socket.close()

    def _open(self) -> None:
        if self._socket.fileno() >= 0:
            self._loop.add_reader(self._socket, self._take)

    def _take(self) -> None:
        try:
            connection, _address = self._socket.accept()
        except (BlockingIOError, InterruptedError, ConnectionAbortedError):
            return  # another worker was quicker, or the client has left
        except OSError:
            log.exception("no connection can be taken; the next look is in %g s", PAUSE_S)
            self._loop.remove_reader(self._socket)
            self._loop.call_later(PAUSE_S, self._open)
            return
        task = self._loop.create_task(self._begin(connection))
        self._begun.add(task)
        task.add_done_callback(self._begun.discard)

    async def _begin(self, connection: socket.socket) -> None:
        connection.setblocking(False)
        try:
            await self._loop.connect_accepted_socket(self._make, connection)
        except OSError:
            connection.close()
