"""The names of CuPy's kernels, in words.

CuPy names an elementwise kernel after its operation and the types of what goes in and comes out:
`cupy_add__float32_float_float32` adds a Python number to float32. Others are of a sum, a maximum, a
product's table of pointers. A name without `cupy_` is that of a fused or a hand-written kernel.
"""

from __future__ import annotations

POINTERS = "cupy_mat_ptrs"
NUMBERS = ("int", "float", "complex")  # of Python: a scalar that takes the type of the array
WORDS = {
    POINTERS: "pointers to the matrices of a broadcast product",
    "cupy_fill": "fill with a number",
    "cupy_concatenate": "join arrays",
    "cupy_take": "gather by index",
    "memset": "fill with bytes",
    "cublasSgemmBatched": "float32 matrices by pointers",
    "cublasDgemmBatched": "float64 matrices by pointers",
    "cublasGemmStridedBatchedEx": "matrices at a fixed distance",
    "cublasGemmEx": "one matrix",
}


def in_words(name: str) -> str:
    """Such as "add float32, number → float32"; the name itself where it says enough."""
    if name in WORDS:
        return WORDS[name]
    if not name.startswith("cupy_"):
        return name
    operation, _, types = name.removeprefix("cupy_").partition("__")
    operation = operation.replace("_", " ")
    if not types:
        return operation
    *inputs, output = ("number" if t in NUMBERS else t for t in types.split("_"))
    return f"{operation} {', '.join(inputs)} → {output}"
