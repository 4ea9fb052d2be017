"""cuBLAS's own routines, called as CuPy calls them but with every alpha, beta and distance.

CuPy's products ask with alpha 1, beta 0 and tight columns for most of what they compute; the
routines can do more, and a kernel that calls them will.
"""

import math
from dataclasses import dataclass
from typing import Any

import numpy as np
from hypothesis import strategies as st


@dataclass(frozen=True)
class Stack:
    """Memory full of NaN, and in it matrices, each column by column as cuBLAS has them.

    start  where the first begins;  ld  from a column to the next;  step  from a matrix to the next,
    all in elements
    """

    memory: np.ndarray
    shape: tuple[int, int]
    start: int
    ld: int
    step: int
    batch: int

    def matrices(self, memory: np.ndarray) -> np.ndarray:
        """(batch, rows, columns), a view of this memory or of a copy of it."""
        strides = [n * memory.itemsize for n in (self.step, 1, self.ld)]
        shape = (self.batch, *self.shape)
        return np.lib.stride_tricks.as_strided(memory[self.start :], shape, strides)


@dataclass(frozen=True)
class Routine:
    """One call: c = alpha op(a) op(b) + beta c, for each matrix of the stacks.

    name        gemm, gemmStridedBatched, gemmBatched; gemv, where b and c are vectors; dot
    transposed  whether op(a), op(b) are the transposed matrices
    sizes       rows and columns of c, and how many terms a sum has
    apart       by how much columns of a, b and c are longer than they have to be; of vectors, how
                many elements lie between two of theirs
    numbers_there  whether alpha and beta are read, and the result of dot written, on the device
    gap         what lies between two matrices of a stack; None: a and b are the same all along
    """

    name: str
    transposed: tuple[bool, bool]
    sizes: tuple[int, int, int]
    apart: tuple[int, int, int]
    gap: int | None
    batch: int
    alpha: float
    beta: float
    numbers_there: bool
    dtype: str
    seed: int

    def stacks(self) -> tuple[Stack, Stack, Stack]:
        """a, b and c with drawn numbers; c of NaN where beta is 0, as nobody may read it then."""
        rng, (m, n, k) = np.random.default_rng(self.seed), self.sizes
        shapes = [(m, k), (k, n), (m, n)]
        if self.name in ("gemv", "dot"):  # vectors lie in the rows of matrices of one row
            shapes = [(m, k), (1, k), (1, m)] if self.name == "gemv" else [(1, k), (1, k), (1, 1)]
        turned = (self.transposed[0] and self.name != "dot", self._turns_b(), False)
        a, b, c = (
            self._stack(rng, shape[::-1] if turn else shape, apart, written=i == 2)
            for i, (shape, turn, apart) in enumerate(zip(shapes, turned, self.apart, strict=True))
        )
        return a, b, c

    def _turns_b(self) -> bool:
        return self.transposed[1] and "gemm" in self.name

    def _stack(
        self, rng: np.random.Generator, shape: tuple[int, int], apart: int, written: bool
    ) -> Stack:
        ld, gap = max(shape[0], 1) + apart, self.gap
        step = 0 if gap is None and not written else ld * shape[1] + (gap or 0)
        size = 3 + step * self.batch + ld * (shape[1] + 1)
        made = Stack(np.full(size, math.nan, self.dtype), shape, 3, ld, step, self.batch)
        if not (written and (self.beta == 0 or self.name == "dot")):
            made.matrices(made.memory)[...] = rng.standard_normal((self.batch, *shape))
        return made

    def run(self, cupy: Any, blas: Any) -> tuple[Stack, np.ndarray]:
        """c as it was, and the memory of c afterwards."""
        stacks = self.stacks()
        memory = [cupy.asarray(s.memory) for s in stacks]
        at = [m.data.ptr + s.start * m.itemsize for m, s in zip(memory, stacks, strict=True)]
        tables = []  # kept until cuBLAS has read them
        if self.name == "gemmBatched":
            steps = [s.step * memory[0].itemsize for s in stacks]
            each = np.arange(self.batch, dtype=np.uint64)
            tables = [cupy.asarray(p + each * d) for p, d in zip(at, steps, strict=True)]
            at = [table.data.ptr for table in tables]
        held = cupy if self.numbers_there else np
        factors = [held.asarray(np.array([v], self.dtype)) for v in (self.alpha, self.beta)]
        numbers = [f.data.ptr if self.numbers_there else f.ctypes.data for f in factors]
        letter = {"float32": "s", "float64": "d"}[self.dtype]
        call = getattr(blas, self.name if self.name.endswith("Ex") else letter + self.name)
        handle = cupy.cuda.device.get_cublas_handle()
        before = blas.getPointerMode(handle)
        blas.setPointerMode(handle, int(self.numbers_there))
        try:
            call(handle, *self._arguments(blas, stacks, at, numbers))
        finally:
            blas.setPointerMode(handle, before)
        return stacks[2], cupy.asnumpy(memory[2])

    def _arguments(
        self, blas: Any, stacks: tuple[Stack, ...], at: list[int], numbers: list[int]
    ) -> list[int]:
        """What the routine is called with: sizes, then each operand with all that belongs to it."""
        scale, keep = numbers
        parts = []
        for p, s in zip(at, stacks, strict=True):
            kind = [int(self.dtype == "float64")] * self.name.endswith("Ex")
            parts.append([p, *kind, s.ld, *[s.step] * ("Strided" in self.name)])
        a, b, c = parts
        if self.name == "dot":
            return [self.sizes[2], *a, *b, c[0]]
        ops = [int(t) for t in self.transposed]
        if self.name == "gemv":
            return [ops[0], *stacks[0].shape, scale, *a, *b, keep, *c]
        given = [*ops, *self.sizes, scale, *a, *b, keep, *c]
        given += [self.batch] * ("Batched" in self.name)
        sums = blas.CUBLAS_COMPUTE_32F if self.dtype == "float32" else blas.CUBLAS_COMPUTE_64F
        return given + [sums, blas.CUBLAS_GEMM_DEFAULT] * self.name.endswith("Ex")

    def expected(self) -> tuple[np.ndarray, np.ndarray]:
        """c in NumPy's widest type, and its bound.

        k terms, then a product with alpha, one with beta, and their sum: (k + 2) u for the terms,
        2 u for what stood there. Where a product is fused with a sum, it is one rounding less.
        """
        a, b, c = (s.matrices(s.memory).astype(np.longdouble) for s in self.stacks())
        a = a.mT if self.transposed[0] and self.name != "dot" else a
        if "gemm" in self.name:
            b = b.mT if self.transposed[1] else b
            products = [f(a) @ f(b) for f in (lambda v: v, np.abs)]
        else:  # the vectors are rows
            products = [f(b) @ f(a).mT for f in (lambda v: v, np.abs)]
        plain = self.name == "dot"
        alpha, beta = (1.0, 0.0) if plain else (self.alpha, self.beta)
        kept = beta * c if beta else np.zeros(c.shape)
        u = np.finfo(self.dtype).eps / 2
        bound = u * ((self.sizes[2] + 2) * abs(alpha) * products[1] + 2 * np.abs(kept))
        return alpha * products[0] + kept, bound


ROUTINES = ("gemmEx", "gemmStridedBatchedEx", "gemmBatched", "gemm", "gemmStridedBatched")
ROUTINES += ("gemv", "dot")


def routines(name: str, dtype: str) -> st.SearchStrategy[Routine]:
    """Calls of one routine; sizes are 0, 1 and primes that lie apart."""
    sizes = [(3, 1, 5, 2, 0, 17)] * 3
    if name == "gemv":  # of a product without terms BLAS leaves y as it is, or scales it
        sizes[2] = sizes[2][:4]
    return st.builds(
        Routine,
        name=st.just(name),
        transposed=st.tuples(st.booleans(), st.booleans()),
        sizes=st.tuples(*map(st.sampled_from, sizes)),
        apart=st.tuples(*(st.sampled_from((0, 1, 3)) for _ in range(3))),
        gap=st.sampled_from((0, 2, None)),
        batch=st.sampled_from((2, 1, 3)) if "Batched" in name else st.just(1),
        alpha=st.sampled_from((1.0, -0.5, 2.5, 0.0)),
        beta=st.sampled_from((0.0, 1.0, -2.0, 0.25)),
        numbers_there=st.booleans() if name != "dot" else st.just(True),
        dtype=st.just(dtype),
        seed=st.integers(0, 2**31),
    )
