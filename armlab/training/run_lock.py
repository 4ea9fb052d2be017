"""One run at a time in a folder: whoever works there holds a lock that says who it is.

The lock is the system's, of the file that names its holder, and ends with the process, however that
ends: a run that was killed is in nobody's way. On a network file system it holds between machines
where the server keeps such locks, as those of NFS and SMB do as a rule. Where a file system or a
system has none (Windows), nobody is kept out; files are still written whole, each by one run.
"""

from __future__ import annotations

import contextlib
import errno
import os
import socket
import time
from collections.abc import Iterator
from datetime import datetime
from pathlib import Path

from armlab.training.run_files import WHOLE_FILES, cannot_write
from armlab.whole_file import sweep

LOCK = "run.lock"
NO_LOCKS = (errno.ENOLCK, errno.ENOSYS, errno.EOPNOTSUPP)  # of a file system without any
LONGEST = 300  # bytes of a lock that are read
ATTEMPTS = 100  # at a lock whose holders leave just then


class FolderInUse(RuntimeError):
    """Another run is at work in a folder; the one sentence names it."""


@contextlib.contextmanager
def one_run_in(folder: Path) -> Iterator[None]:
    """Within this block, nobody else's. The folder is made, and gone again if it stays empty.

    Raises FolderInUse, and RuntimeError for a folder that cannot be written.
    """
    made = [path for path in (folder, *folder.parents) if not path.exists()]
    try:
        descriptor = _taken(folder)
        sweep(folder, WHOLE_FILES)
    except OSError as error:
        raise cannot_write(folder, error) from error
    try:
        yield
    finally:
        with contextlib.suppress(OSError):
            (folder / LOCK).unlink()  # before it is free, or it might be another's
        os.close(descriptor)
        for path in made:
            with contextlib.suppress(OSError):
                path.rmdir()


def wait_until_free(folder: Path, seconds: float) -> None:
    """Until nobody is at work in the folder, or so many seconds have passed."""
    until = time.monotonic() + seconds
    while folder.exists() and time.monotonic() < until:
        try:
            with one_run_in(folder):
                return
        except FolderInUse:
            time.sleep(0.1)


def _taken(folder: Path) -> int:
    """The descriptor of the lock, which is this process's now."""
    path = folder / LOCK
    for _ in range(ATTEMPTS):
        try:
            folder.mkdir(parents=True, exist_ok=True)
            descriptor = os.open(path, os.O_RDWR | os.O_CREAT, 0o666)
        except FileNotFoundError:  # the folder went as its last user left
            continue
        except FileExistsError:  # it went while mkdir looked whether it is a folder
            if folder.exists() and not folder.is_dir():
                raise
            continue
        if not _locks(descriptor):
            holder = os.read(descriptor, LONGEST).decode(errors="replace").strip()
            os.close(descriptor)
            raise _in_use(folder, holder or "it has just begun")
        if _is_named(descriptor, path):
            _sign(descriptor)
            return descriptor
        os.close(descriptor)  # its last holder took the name away in between
    raise _in_use(folder, f"{path} comes and goes")


def _in_use(folder: Path, holder: str) -> FolderInUse:
    return FolderInUse(
        f"another run is at work in {folder}: {holder}; wait for its end or stop it, "
        "or choose another folder"
    )


def _locks(descriptor: int) -> bool:
    """Take the lock; False where another has it. Without any locks here, it counts as taken."""
    try:
        import fcntl
    except ImportError:  # Windows
        return True
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    except OSError as error:
        if error.errno not in NO_LOCKS:
            os.close(descriptor)
            raise
    return True


def _is_named(descriptor: int, path: Path) -> bool:
    """Whether the open file is still the one of this name."""
    try:
        return os.path.samestat(os.fstat(descriptor), os.stat(path))
    except FileNotFoundError:
        return False


def _sign(descriptor: int) -> None:
    """Write who holds the lock. A full disk leaves it unsigned, and a lock all the same."""
    since = datetime.now().isoformat(" ", "seconds")
    words = f"process {os.getpid()} on {socket.gethostname()}, since {since}\n"
    with contextlib.suppress(OSError):
        os.truncate(descriptor, 0)
        os.write(descriptor, words.encode())
