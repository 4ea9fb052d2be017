"""Checkpoints that are whole or refused: arrays and metadata in one npz file, each hashed.

The file holds the arrays, a manifest in JSON (format version, metadata, and for each array its
dtype, shape and SHA-256) and the SHA-256 of the manifest. A damaged bit is therefore noticed
wherever it lies. Nothing is pickled.
"""

from __future__ import annotations

import hashlib
import io
import json
import zipfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np

from armlab.whole_file import whole_file

CHECKPOINT = "checkpoint.npz"  # in a run's folder
VERSION = 2
MANIFEST, MANIFEST_HASH = "manifest.json", "manifest.sha256"


class CheckpointError(RuntimeError):
    """A checkpoint cannot be read or written; the one sentence says which and why."""


def previous(path: Path) -> Path:
    """Where the generation before is kept: checkpoint.npz -> checkpoint.previous.npz."""
    return path.with_suffix(f".previous{path.suffix}")


def save(path: Path, arrays: Mapping[str, np.ndarray], metadata: Mapping[str, Any]) -> None:
    """Write a checkpoint so that at any moment the old or the new one is there and whole.

    The new file is complete on the disk before it takes the name. What had the name before
    becomes `previous(path)`. Raises CheckpointError where it cannot be written; the old one stays.
    """
    try:
        with whole_file(path, previous(path)) as file:
            np.savez(file, **_members(arrays, metadata))
    except OSError as error:
        raise CheckpointError(
            f"cannot write {path}: {error.strerror or error}; "
            + ("an earlier one is kept as it was" if path.exists() else "there was none before")
        ) from error


def load(path: Path) -> tuple[dict[str, np.ndarray], dict[str, Any]]:
    """The arrays and the metadata, exactly as they were saved; else CheckpointError."""
    try:
        data = path.read_bytes()
    except FileNotFoundError:
        raise _missing(path) from None
    except OSError as error:
        raise CheckpointError(
            f"cannot read {path}: {error.strerror or error}; put it back or make it readable"
        ) from error
    if not data.startswith(b"PK"):
        raise CheckpointError(
            f"{path} is not a checkpoint of armlab: it is no npz file; check the folder"
        )
    try:
        members = _read_members(data)
    except Exception as error:  # a damaged zip or npy header fails in any of a dozen ways
        raise CheckpointError(
            _damaged(path, f"it cannot be unpacked ({type(error).__name__})")
        ) from error
    manifest = _manifest(path, members)
    return _arrays(path, members, manifest), manifest["metadata"]


def expect(path: Path) -> None:
    """Raise the CheckpointError of a file that is not there."""
    if not path.exists():
        raise _missing(path)


def _missing(path: Path) -> CheckpointError:
    return CheckpointError(f"there is no checkpoint {path}: check the folder")


def _members(arrays: Mapping[str, np.ndarray], metadata: Mapping[str, Any]) -> dict[str, Any]:
    described = {key: _description(a) for key, a in arrays.items()}
    manifest = {"version": VERSION, "metadata": dict(metadata), "arrays": described}
    text = json.dumps(manifest, allow_nan=False).encode()
    return {
        **{f"arrays/{key}": a for key, a in arrays.items()},
        MANIFEST: np.frombuffer(text, np.uint8),
        MANIFEST_HASH: np.frombuffer(hashlib.sha256(text).digest(), np.uint8),
    }


def _description(a: np.ndarray) -> dict[str, Any]:
    digest = hashlib.sha256(a.tobytes()).hexdigest()
    return {"dtype": a.dtype.str, "shape": list(a.shape), "sha256": digest}


def _read_members(data: bytes) -> dict[str, np.ndarray]:
    """Every array of the npz; the zip's own checksums are verified before anything is parsed."""
    with zipfile.ZipFile(io.BytesIO(data)) as archive:
        return {
            name.removesuffix(".npy"): np.lib.format.read_array(
                io.BytesIO(archive.read(name)), allow_pickle=False
            )
            for name in archive.namelist()
        }


def _manifest(path: Path, members: dict[str, np.ndarray]) -> dict[str, Any]:
    if MANIFEST not in members or MANIFEST_HASH not in members:
        raise CheckpointError(f"{path} is not a checkpoint of armlab: it has no manifest")
    text = members[MANIFEST].tobytes()
    if hashlib.sha256(text).digest() != members[MANIFEST_HASH].tobytes():
        raise CheckpointError(_damaged(path, "its manifest does not match its hash"))
    manifest: dict[str, Any] = json.loads(text)
    if manifest["version"] != VERSION:
        raise CheckpointError(
            f"{path} has format version {manifest['version']}, and this armlab reads version "
            f"{VERSION}: use the armlab that wrote it"
        )
    return manifest


def _arrays(
    path: Path, members: dict[str, np.ndarray], manifest: dict[str, Any]
) -> dict[str, np.ndarray]:
    arrays = {}
    for key, description in manifest["arrays"].items():
        a = members.get(f"arrays/{key}")
        if a is None or _description(a) != description:
            raise CheckpointError(_damaged(path, f"array {key} does not match its hash"))
        arrays[key] = a
    return arrays


def _damaged(path: Path, what: str) -> str:
    remedy = (
        f": {previous(path)} holds the one before, copy it over this one"
        if previous(path).exists()
        else ""
    )
    return f"{path} is truncated or corrupt, {what}{remedy}"
