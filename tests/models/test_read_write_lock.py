import threading
import time

import pytest

from stackrec_keras.models.read_write_lock import ReadWriteLock


def _started(target):
    thread = threading.Thread(target=target, daemon=True)
    thread.start()
    time.sleep(0.05)  # until it waits, or is done
    return thread


def _hold(context, log, name):
    def run():
        with context():
            log.append(name)

    return run


def test_readers_share_and_a_writer_is_alone():
    lock, log = ReadWriteLock(), []
    with lock.reading():
        _started(_hold(lock.reading, log, "reader")).join(1)
        writer = _started(_hold(lock.writing, log, "writer"))
        assert log == ["reader"] and writer.is_alive()
    writer.join(1)
    with lock.writing():
        reader = _started(_hold(lock.reading, log, "late reader"))
        assert log == ["reader", "writer"]
    reader.join(1)
    assert log == ["reader", "writer", "late reader"]


def test_who_holds_it_gets_it_again_though_others_wait():
    lock, log = ReadWriteLock(), []
    with lock.reading():
        writer = _started(_hold(lock.writing, log, "writer"))
        with lock.reading():
            assert log == []
    writer.join(1)
    with lock.writing(), lock.writing(), lock.reading():
        other = _started(_hold(lock.writing, log, "other"))
        assert log == ["writer"]
    other.join(1)
    assert log == ["writer", "other"]


def test_readers_that_come_without_end_do_not_shut_out_a_writer():
    lock, log = ReadWriteLock(), []
    with lock.reading():
        writer = _started(_hold(lock.writing, log, "writer"))
        reader = _started(_hold(lock.reading, log, "reader"))
        assert log == []
    writer.join(1)
    reader.join(1)
    assert log == ["writer", "reader"]


def test_a_writer_gives_way_to_those_who_wait():
    lock, log = ReadWriteLock(), []
    with lock.writing(), lock.writing():
        threads = [_started(_hold(lock.writing, log, i)) for i in range(3)]
        lock.give_way()
        assert log == [0, 1, 2]
        late = _started(_hold(lock.reading, log, "late"))
        assert log == [0, 1, 2]
    for thread in [*threads, late]:
        thread.join(1)
        assert not thread.is_alive()


def test_an_error_gives_the_lock_back():
    lock, log = ReadWriteLock(), []
    for context in (lock.reading, lock.writing):
        with pytest.raises(KeyboardInterrupt), context():
            raise KeyboardInterrupt
    _started(_hold(lock.writing, log, "writer")).join(1)
    assert log == ["writer"]
