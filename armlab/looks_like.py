"""What a file is that is not what its name says."""

from __future__ import annotations

STARTS = {
    b"version https://git-lfs": "a pointer of Git LFS: fetch the file itself with  git lfs pull",
    b"PK\x03\x04": "a ZIP archive: unpack it",
    b"\x1f\x8b": "packed with gzip: unpack it",
    b"BZh": "packed with bzip2: unpack it",
    b"\xfd7zXZ": "packed with xz: unpack it",
    b"\x28\xb5\x2f\xfd": "packed with zstd: unpack it",
    b"Rar!": "a RAR archive: unpack it",
    b"7z\xbc\xaf\x27\x1c": "a 7z archive: unpack it",
    b"%PDF": "a PDF document",
    b"8BPS": "a Photoshop document",
    b"\x93NUMPY": "an array of NumPy",
    b"\x89HDF\r\n": "an HDF5 file",
    b"\x00\x00\x00\x0cjP  ": "a JPEG 2000 image",
    b"\xff\x4f\xff\x51": "a JPEG 2000 image",
    b"\x89PNG\r\n\x1a\n": "a PNG image",
    b"\xff\xd8\xff": "a JPEG image",
    b"II*\0": "a TIFF image",
    b"MM\0*": "a TIFF image",
    b"GIF8": "a GIF image",
}
BRANDS = {b"heic": "a HEIC image", b"heix": "a HEIC image", b"mif1": "a HEIF image"}
BRANDS |= {b"avif": "an AVIF image"}  # of the ISO container, which begins with its length


def looks_like(data: bytes) -> str:
    """What these bytes seem to be, to stand after "FILE is"; "" for what nobody here knows.

    A remedy follows after a colon, unless it depends on what was expected.
    """
    if not data:
        return "empty: copy or download it again"
    for start, words in STARTS.items():
        if data.startswith(start):
            return words
    if data[4:8] == b"ftyp":
        return BRANDS.get(data[8:12], "a video")
    head = data[:1024].lstrip(b"\xef\xbb\xbf \t\r\n").lower()
    if head.startswith((b"<!doctype html", b"<html")):
        return "a web page: download the file itself"
    if head.startswith((b"<?xml", b"<svg")):
        return "an XML or SVG document"
    return "text" if _is_text(data[:1024]) else ""


def _is_text(head: bytes) -> bool:
    """UTF-8 without control characters; one that the end cuts is forgiven."""
    try:
        text = head.decode()
    except UnicodeDecodeError as error:
        if error.start < len(head) - 3:
            return False
        text = head[: error.start].decode()
    return all(character.isprintable() or character in "\t\r\n" for character in text)
