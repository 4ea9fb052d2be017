"""The format .npz, member by member: any text is a key, and an array of objects is named."""

from __future__ import annotations

import io
import zipfile
from collections import Counter

import numpy as np

from armlab.weights.contents import NoWeights
from armlab.weights.states import State


def decode_npz(data: bytes) -> State:
    """The arrays; the zip's own checksums are verified before anything is parsed."""
    with zipfile.ZipFile(io.BytesIO(data)) as archive:
        names = [name for name in archive.namelist() if name.endswith(".npy")]
        for name, count in Counter(names).items():
            if count > 1:
                raise NoWeights(
                    f"holds {name[:-4]!r} {count} times: write it anew, with one array a key"
                )
        return {name[:-4]: _array(name[:-4], archive.read(name)) for name in names}


def _array(key: str, member: bytes) -> np.ndarray:
    file = io.BytesIO(member)
    version = np.lib.format.read_magic(file)
    read_header = {
        (1, 0): np.lib.format.read_array_header_1_0,
        (2, 0): np.lib.format.read_array_header_2_0,
    }
    if version in read_header and read_header[version](file)[2].hasobject:
        raise NoWeights(
            f"holds Python objects under {key!r}, which can be code, so nothing of it was run: "
            "where it was made, leave them out"
        )
    file.seek(0)
    return np.lib.format.read_array(file, allow_pickle=False)


def encode_npz(state: State) -> bytes:
    """As numpy.savez, whose own keyword arguments would take the keys "file" and "allow_pickle"."""
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w") as archive:
        for key, a in state.items():
            with archive.open(zipfile.ZipInfo(f"{key}.npy"), "w", force_zip64=True) as member:
                np.lib.format.write_array(member, a, allow_pickle=False)
    return file.getvalue()
