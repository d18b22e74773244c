"""Many threads may read a model at a time; one that changes it has it to itself."""

import contextlib
import threading
from collections import Counter, deque
from collections.abc import Iterator


class ReadWriteLock:
    """A lock that threads get in the order in which they ask for it.

    Readers hold it together, a writer alone. A thread that holds it gets it again at
    once, a reader as a reader only.
    """

    def __init__(self) -> None:
        self._condition = threading.Condition()
        self._waiting: deque[object] = deque()
        self._readers: Counter[int] = Counter()
        self._writer: int | None = None
        self._depth = 0

    @contextlib.contextmanager
    def reading(self) -> Iterator[None]:
        """Context in which no other thread changes the model."""
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
        """Context in which no other thread reads or changes the model."""
        self._start_writing(1)
        try:
            yield
        finally:
            self._stop_writing(self._depth - 1)

    def give_way(self) -> None:
        """Lets those go first who wait for a lock that this thread holds to write."""
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
                return  # an interrupt came while this thread gave way
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
            # An interrupt (Ctrl-C) must not leave a ticket that nobody holds.
            self._waiting.remove(ticket)
            self._condition.notify_all()
