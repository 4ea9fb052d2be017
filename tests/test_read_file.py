"""Text as other editors save it."""

import codecs

import pytest

from armlab.read_file import file_bytes, file_lines, file_text

TEXT = "Straße\nhäuser\n"


@pytest.mark.parametrize(
    "data",
    [
        TEXT.encode(),
        TEXT.encode("utf-8-sig"),
        codecs.BOM_UTF16_LE + TEXT.encode("utf-16-le"),
        codecs.BOM_UTF16_BE + TEXT.encode("utf-16-be"),
        codecs.BOM_UTF32_LE + TEXT.encode("utf-32-le"),
        codecs.BOM_UTF32_BE + TEXT.encode("utf-32-be"),
    ],
)
def test_text_is_read_where_its_encoding_is_certain(tmp_path, data):
    (tmp_path / "a.txt").write_bytes(data)
    assert file_text(tmp_path / "a.txt") == TEXT


@pytest.mark.parametrize("end", ["\n", "\r\n", "\r"])
def test_lines_end_as_on_any_system_and_nowhere_else(tmp_path, end):
    (tmp_path / "a.txt").write_bytes(end.join(["sky ", "a\u2028b\x0cc", "", "\troad"]).encode())
    assert file_lines(tmp_path / "a.txt") == ["sky", "a\u2028b\x0cc", "", "road"]


def test_marks_inside_are_no_part_of_a_name(tmp_path):
    (tmp_path / "a.txt").write_bytes(2 * "a\n".encode("utf-8-sig"))  # cat a.txt a.txt
    assert file_lines(tmp_path / "a.txt") == ["a", "a", ""]


@pytest.mark.parametrize(
    ("data", "words"),
    [
        (
            "sky\r\nStraße\n".encode("cp1252"),
            r"a\.txt is not in UTF-8, first in line 2: save it as",
        ),
        ("é\rÀ".encode("latin-1"), "is not in UTF-8, first in line 1"),
        ("sky\nroad".encode("utf-16-le"), "has a zero byte in line 1: save it as text, in UTF-8"),
        (codecs.BOM_UTF16_LE + "a\nb".encode("utf-16-le") + b"x", "is not in UTF-16-LE.* line 2"),
        (b"one\n\0\1\2", "has a zero byte in line 2"),
    ],
)
def test_what_is_not_certain_is_one_sentence_with_the_line(tmp_path, data, words):
    (tmp_path / "a.txt").write_bytes(data)
    with pytest.raises(ValueError, match=words) as caught:
        file_text(tmp_path / "a.txt")
    assert type(caught.value) is ValueError  # not the codec's own


def test_bytes_are_those_of_the_file_or_a_sentence(tmp_path):
    (tmp_path / "a").write_bytes(b"\0\xff")
    assert file_bytes(tmp_path / "a") == b"\0\xff"
    with pytest.raises(ValueError, match="is a folder: give the path of a file"):
        file_bytes(tmp_path)
