"""A network as an ONNX file, exported by PyTorch from the twin: any batch and any size of image.

    image   (N, 3, H, W) float32, normalised as the metadata say
    logits  (N, K, H, W) float32

Metadata, by key: "classes", their names as a JSON list; "mean" and "std" of red, green and blue in
0 ... 1, as JSON lists: what goes in is (image / 255 - mean) / std.
"""

from __future__ import annotations

import contextlib
import io
import json
import logging
import warnings
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

from armlab.extras import expect_packages
from armlab.weights.files import write_bytes
from armlab.weights.publishers import Input
from armlab.whole_file import FilePath

SUFFIX = ".onnx"
NEEDED = {"torch": "torch", "onnx": "onnx", "onnxscript": "onnxscript"}
TRACED = (2, 3, 64, 96)  # the size that the exporter runs once; no length in it is kept


def is_onnx(path: FilePath) -> bool:
    return Path(path).suffix.lower() == SUFFIX


def expect_exporter() -> None:
    """Refuse in one sentence where a package is missing."""
    expect_packages(NEEDED, extra="torch,onnx")


def save_onnx(path: FilePath, twin: Any, names: Sequence[str], prepare: Input) -> None:
    """Write the twin in evaluation mode; at any moment the old file or the new one is there.

    Raises RuntimeError where a package is missing, OSError where the file cannot be written.
    """
    expect_exporter()
    program = _exported(twin)
    properties = {"classes": list(names), "mean": prepare.mean, "std": prepare.std}
    program.model.metadata_props.update({k: json.dumps(v) for k, v in properties.items()})
    write_bytes(path, program.model_proto.SerializeToString())


def _exported(twin: Any) -> Any:
    import torch

    twin = twin.cpu().float().eval()
    free = torch.export.Dim.DYNAMIC
    with _quietly():
        return torch.onnx.export(
            twin,
            (torch.zeros(TRACED),),
            dynamo=True,
            dynamic_shapes=({0: free, 2: free, 3: free},),
            input_names=["image"],
            output_names=["logits"],
            verbose=False,
        )


@contextlib.contextmanager
def _quietly() -> Iterator[None]:
    """The exporter tells of packages that it does not need, and of its own old names."""
    before = logging.root.manager.disable
    logging.disable(logging.WARNING)
    try:
        with warnings.catch_warnings(action="ignore"), contextlib.redirect_stdout(io.StringIO()):
            yield
    finally:
        logging.disable(before)
