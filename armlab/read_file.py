"""Files that people bring: their bytes, and their text whatever editor wrote it."""

from __future__ import annotations

import re
from codecs import BOM_UTF16_BE, BOM_UTF16_LE, BOM_UTF32_BE, BOM_UTF32_LE
from pathlib import Path

from armlab.whole_file import FilePath

MARK = "\ufeff"  # the byte order mark, as it comes out of a codec that leaves it in
MARKED = {  # the longer first: UTF-32's mark begins with UTF-16's
    BOM_UTF32_LE: "utf-32-le",
    BOM_UTF32_BE: "utf-32-be",
    BOM_UTF16_LE: "utf-16-le",
    BOM_UTF16_BE: "utf-16-be",
}
LINE_END = re.compile(r"\r\n|\r|\n")  # of Windows, of an old Mac and of all others


def file_bytes(path: FilePath) -> bytes:
    """The whole file, closed again. Raises ValueError that says why it cannot be read."""
    try:
        return Path(path).read_bytes()
    except IsADirectoryError as error:
        raise ValueError(f"{path} is a folder: give the path of a file") from error
    except PermissionError as error:
        if Path(path).is_dir():  # as Windows says it
            raise ValueError(f"{path} is a folder: give the path of a file") from error
        raise ValueError(f"cannot read {path}: {error.strerror}; make it readable") from error
    except OSError as error:
        raise ValueError(
            f"cannot read {path}: {error.strerror or error}; put it back or make it readable"
        ) from error


def file_text(path: FilePath) -> str:
    """The text of a file in UTF-8, or in UTF-16 or UTF-32 where a byte order mark says so.

    Raises ValueError for any other, which nothing tells apart with certainty: it names the line.
    """
    data = file_bytes(path)
    codec = next((name for mark, name in MARKED.items() if data.startswith(mark)), "utf-8")
    try:
        text = data.decode(codec)
    except UnicodeDecodeError as error:
        line = len(LINE_END.split(data[: error.start].decode(codec, "replace")))
        raise ValueError(
            f"{path} is not in {codec.upper()}, first in line {line}: save it as UTF-8"
        ) from error
    if "\0" in text:  # UTF-16 without its mark, or no text at all
        line = len(LINE_END.split(text[: text.index("\0")]))
        raise ValueError(f"{path} has a zero byte in line {line}: save it as text, in UTF-8")
    return text.replace(MARK, "")  # in the middle too, where files were put one behind the other


def file_lines(path: FilePath) -> list[str]:
    """Its lines, from 1 on in an editor, without the spaces around them; blank ones are ""."""
    return [line.strip() for line in LINE_END.split(file_text(path))]
