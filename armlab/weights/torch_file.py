"""What torch.save writes, read by torch's `weights_only`, which knows tensors and runs nothing."""

from __future__ import annotations

import io
import pickle
import re
import struct
import warnings
import zipfile
from typing import Any

from armlab.weights.checkpoints import REMEDY
from armlab.weights.contents import NoWeights, damaged
from armlab.weights.harmless import harmless
from armlab.weights.states import State, to_torch

NEWER = b"_rebuild_tensor_v3"  # how torch pickles float8 and its like
PROTOCOL = 2  # of pickle: what torch.save writes by default, and all that `weights_only` reads


def decode_torch(data: bytes) -> Any:
    """The object in a file. NoWeights names the class that it would need the code of."""
    import torch
    from torch.serialization import safe_globals

    try:
        with warnings.catch_warnings(), safe_globals(harmless()):
            warnings.simplefilter("ignore")  # a refusal says it all
            pickled = _pickled(data)
            return torch.load(io.BytesIO(data), map_location="cpu", weights_only=True)
    except pickle.UnpicklingError as error:
        raise _refused(pickled, str(error)) from None
    except AttributeError:
        if data is not pickled or NEWER not in data:
            raise
        raise NoWeights(
            "holds a dtype that is newer than its form, in which torch itself cannot read it back: "
            f"where it was made, {REMEDY}, without _use_new_zipfile_serialization=False"
        ) from None


def encode_torch(state: State) -> bytes:
    """A plain state_dict of tensors."""
    import torch

    file = io.BytesIO()
    torch.save(to_torch(state), file)
    return file.getvalue()


def _pickled(data: bytes) -> bytes:
    """The pickle in a file: all of it before torch 1.6, since then a member of a zip.

    Torch does not look at the checksums of the zip; it may have been told to leave them 0.
    """
    if not data.startswith(b"PK"):
        return data
    with zipfile.ZipFile(io.BytesIO(data)) as archive:
        members = {member.filename.partition("/")[2]: member for member in archive.infolist()}
        found = members["data.pkl"]
        if any(member.CRC for member in members.values()):
            if archive.testzip():
                raise damaged()
            return archive.read(found)
    name, extra = struct.unpack_from("<HH", data, found.header_offset + 26)
    start = found.header_offset + 30 + name + extra
    return data[start : start + found.file_size]


def _refused(pickled: bytes, said: str) -> NoWeights:
    """Why torch would not read a pickle: it names the first class or function that it met."""
    found = re.search(r"GLOBAL (\S+\w)|<class '(.+?)'>", said)
    if pickled[1] != PROTOCOL:
        return NoWeights(
            f"is pickled by protocol {pickled[1]}, which nothing reads without running code, so "
            f"nothing of it was run: where it was made, {REMEDY}, without pickle_protocol"
        )
    if found is None:
        return damaged()
    name = found[1] or found[2]
    if b"ctorch.nn.modules." in pickled:  # how protocol 2 names a class
        return NoWeights(
            f"is a whole module of class {name}, which needs its code, so nothing of it was run: "
            f"where that code is, {REMEDY}"
        )
    return NoWeights(
        f"holds {name} beside tensors, which can be code, so nothing of it was run: where it was "
        f"made, {REMEDY}"
    )
