"""Locks that die with their holder: ``flock`` on small files, waited for with a bound."""

from __future__ import annotations

import errno
import fcntl
import os
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from ingest.errors import BusyError

_UNSUPPORTED = (errno.ENOLCK, errno.EOPNOTSUPP, errno.ENOSYS)


class LockUnsupportedError(OSError):
    """This file system has no working ``flock``."""


@contextmanager
def held(fd: int, path: Path, wait_seconds: float) -> Iterator[None]:
    """The lock on an open file, from here to the end of the block.

    Raises:
        BusyError: when another process held it all the time.
        LockUnsupportedError: when the file system cannot lock.
    """
    began = time.monotonic()
    deadline = began + wait_seconds
    while True:
        try:
            fcntl.flock(fd, fcntl.LOCK_EX | fcntl.LOCK_NB)
            break
        except BlockingIOError:
            if time.monotonic() >= deadline:
                raise BusyError(
                    f"{path} has been locked by another process for {wait_seconds:.0f} s; "
                    "wait until it is done, or stop it, and try again."
                ) from None
            # Who has waited longest looks most often: with many at once nobody is passed over until the deadline.
            time.sleep(max(0.001, 0.02 / (1 + 4 * (time.monotonic() - began))))
        except OSError as error:
            if error.errno in _UNSUPPORTED:
                raise LockUnsupportedError(error.errno, error.strerror) from error
            raise
    try:
        yield
    finally:
        fcntl.flock(fd, fcntl.LOCK_UN)


@contextmanager
def lock_file(path: Path, wait_seconds: float) -> Iterator[None]:
    """The lock on a file of its own, made when it is not there.

    Raises:
        BusyError, LockUnsupportedError, OSError: see :func:`held`.
    """
    fd = os.open(path, os.O_RDWR | os.O_CREAT | os.O_NOFOLLOW | os.O_CLOEXEC, 0o666)
    try:
        with held(fd, path, wait_seconds):
            yield
    finally:
        os.close(fd)
