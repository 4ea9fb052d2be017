"""A time limit for a call that may never end."""

from __future__ import annotations

import signal
import sys
import threading
import time
from collections.abc import Callable
from types import FrameType
from typing import Any

PATIENCE = 4  # times the limit that a call may wait, for input or for a busy machine
AGAIN = 0.02  # seconds until a call is told once more, in case that it caught what told it


class TooLong(BaseException):
    """A call is past its limit. No Exception, which the call itself may catch."""


def within(seconds: float, call: Callable[[], Any]) -> Any:
    """What `call()` returns. Raises TooLong after so many seconds of the processor.

    A call that waits instead of computing has PATIENCE times as long. The limit is a signal's: it
    holds in the main thread, as of a notebook or of the tests, on Linux and macOS. In another
    thread and on Windows there is none, and nothing interrupts C code before it returns to Python.
    """
    main = threading.current_thread() is threading.main_thread()
    if not main or not hasattr(signal, "setitimer"):
        return call()
    began, computed = time.monotonic(), time.process_time()
    tracing, told = sys.gettrace(), 0

    def over() -> bool:
        waited = time.monotonic() - began
        return time.process_time() - computed >= 0.9 * seconds or waited >= PATIENCE * seconds

    def ring(_: int, frame: FrameType | None) -> None:
        nonlocal told
        signal.setitimer(signal.ITIMER_REAL, AGAIN)
        if frame is None or frame.f_code is within.__code__ or not over():
            return  # the call has just ended, or has time left
        told += 1
        if told > 1:
            _insist(frame)
        raise TooLong

    handler = signal.signal(signal.SIGALRM, ring)
    left, interval = signal.setitimer(signal.ITIMER_REAL, seconds)
    try:
        return call()
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, handler or signal.SIG_DFL)
        sys.settrace(tracing)
        if left:  # another alarm had been set, for later
            left -= time.monotonic() - began
            signal.setitimer(signal.ITIMER_REAL, max(left, 0.001), interval)


def _insist(frame: FrameType | None) -> None:
    """Raise TooLong again at the next line of the call, which is that of its `except:`."""

    def at_line(_: FrameType, event: str, __: Any) -> Any:
        if event == "line":
            raise TooLong
        return at_line

    sys.settrace(lambda *_: None)
    while frame is not None and frame.f_code is not within.__code__:
        frame.f_trace = at_line
        frame = frame.f_back
