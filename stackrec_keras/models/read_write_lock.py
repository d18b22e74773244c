"""Lets many threads read a model at once, or a single thread change it."""

import contextlib
import threading
from collections import Counter, deque
from collections.abc import Iterator


class ReadWriteLock:
    """A lock that several readers, or one writer, can hold.

    Threads get the lock in the order in which they ask. A thread that holds it for
    writing may take it again, for reading or writing. A thread that holds it for
    reading may take it again only for reading.
    """

    def __init__(self) -> None:
        self._condition = threading.Condition()
        self._waiting: deque[object] = deque()
        self._readers: Counter[int] = Counter()
        self._writer: int | None = None
        self._depth = 0

    @contextlib.contextmanager
    def reading(self) -> Iterator[None]:
        """Context manager during which no other thread can change the model."""
        me = threading.get_ident()
        with self._condition:
            if me not in self._readers:
                self._wait(lambda: True)
            self._readers[me] += 1
        try:
            yield
        finally:
            with self._condition:
                self._readers[me] -= 1
                if not self._readers[me]:
                    del self._readers[me]
                self._condition.notify_all()

    @contextlib.contextmanager
    def writing(self) -> Iterator[None]:
        """Context manager during which no other thread can read or change the model."""
        self._start_writing(1)
        try:
            yield
        finally:
            self._stop_writing(self._depth - 1)

    def give_way(self) -> None:
        """Lets waiting threads go first. This thread must hold the lock for writing."""
        depth = self._depth
        self._stop_writing(0)
        self._start_writing(depth)

    def _start_writing(self, levels):
        me = threading.get_ident()
        with self._condition:
            self._wait(lambda: not set(self._readers) - {me})
            self._writer = me
            self._depth += levels

    def _stop_writing(self, depth):
        with self._condition:
            if self._writer != threading.get_ident():
                return  # `give_way` was interrupted while it waited
            self._depth = depth
            if not depth:
                self._writer = None
            self._condition.notify_all()

    def _wait(self, is_free):
        if self._writer == threading.get_ident():
            return
        ticket = object()
        self._waiting.append(ticket)
        try:
            self._condition.wait_for(
                lambda: (
                    self._waiting[0] is ticket and self._writer is None and is_free()
                )
            )
        finally:
            # Later threads wait for this ticket: remove it even after Ctrl-C.
            self._waiting.remove(ticket)
            self._condition.notify_all()
