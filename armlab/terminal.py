"""What is printed reaches any terminal: one without ± says +/-, and one that has left is not told.

Python ends with a UnicodeEncodeError where the encoding of standard output, such as cp1252 or
ASCII, lacks a character, and with a BrokenPipeError where nobody reads: `armlab check | head`.
"""

from __future__ import annotations

import codecs
import io
import os
import select
import sys
import unicodedata
from collections.abc import Iterator
from contextlib import contextmanager

LEFT = 141  # the exit code of a program that a closed pipe ends: 128 + SIGPIPE
READABLE = "armlab.readable"  # the name of the error handler
PYTHONS_OWN = ("strict", "surrogateescape", "backslashreplace")  # what it chooses by itself
PLAIN = {
    **{"±": "+/-", "×": "x", "−": "-", "–": "-", "→": "->", "←": "<-", "…": "...", "·": "*"},
    **{"≤": "<=", "≥": ">=", "≈": "~", "√": "sqrt ", "∗": "*", "∞": "inf", "⟨": "<", "⟩": ">"},
    **{"⌈": "ceil(", "⌉": ")", "↑": "^", "✓": "ok", "✗": "x", "○": "o", "µ": "u", "\u0302": "^"},
    **{"«": "<<", "»": ">>"},
    **{"‘": "'", "’": "'", "“": '"', "”": '"', "█": "#", "∂": "d", "ᵀ": "^T"},
}


@contextmanager
def at_terminal() -> Iterator[None]:
    """Around an entry point: within this block any text can be printed.

    Ends the program, in silence and with exit code 141, once nobody reads what it prints.
    """
    print_anything()
    try:
        try:
            yield
        finally:
            for stream in _streams():
                stream.flush()
    except BrokenPipeError:
        leave_if_unread()
        raise


def print_anything() -> None:
    """From now on a character that standard output lacks is written in ASCII.

    Leaves alone a stream that somebody has told what to do, by PYTHONIOENCODING=ascii:replace.
    """
    codecs.register_error(READABLE, _readable)
    for stream in _streams():
        if isinstance(stream, io.TextIOWrapper) and stream.errors in PYTHONS_OWN:
            stream.reconfigure(errors=READABLE)


def leave_if_unread() -> None:
    """Raise SystemExit if a stream is a pipe that nobody reads any more."""
    unread = [stream for stream in _streams() if _is_unread(stream)]
    for stream in unread:  # or Python would complain when it flushes it at its end
        os.dup2(os.open(os.devnull, os.O_WRONLY), stream.fileno())
    if unread:
        raise SystemExit(LEFT)


def _streams() -> list[io.TextIOBase]:
    found = (sys.stdout, sys.stderr)  # None where there is no console; in Jupyter another class
    return [s for s in found if isinstance(s, io.TextIOBase) and not s.closed]


def _is_unread(stream: io.TextIOBase) -> bool:
    """Whether it leads into a pipe without a reader; not to be had where there is no poll."""
    try:
        asked = select.poll()
        asked.register(stream.fileno(), 0)
    except (AttributeError, OSError):  # Windows; no file at all
        return False
    return any(event & select.POLLERR for _, event in asked.poll(0))


def _readable(error: UnicodeError) -> tuple[str, int]:
    """An error handler of `codecs`: what to write, and from where to go on."""
    if not isinstance(error, UnicodeEncodeError):
        raise error
    return plain(error.object[error.start : error.end]), error.end


def plain(text: str) -> str:
    """The text in ASCII: "0.5 ± 0.1" is "0.5 +/- 0.1", and "ü" of a file name is "\\xfc"."""
    written, raised = "", False
    for char in text:
        kind, *parts = unicodedata.decomposition(char).split() or [""]
        superscript = kind == "<super>"
        if char in PLAIN or char.isascii():
            written += PLAIN.get(char, char)
        elif kind in ("<super>", "<sub>"):  # 2⁻²⁴ is 2^-24
            written += "^" * (superscript and not raised)
            written += plain("".join(chr(int(part, 16)) for part in parts))
        elif unicodedata.name(char, "").startswith("GREEK"):
            written += unicodedata.name(char).split()[-1].lower()
        elif "\udc80" <= char <= "\udcff":  # a byte of a file name that is not UTF-8
            written += f"\\x{ord(char) - 0xDC00:02x}"
        else:
            written += char.encode("ascii", "backslashreplace").decode("ascii")
        raised = superscript
    return written
