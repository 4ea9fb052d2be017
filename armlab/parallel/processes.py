"""Ranks as processes, which torchrun has started: exchanges by torch.distributed.

Arrays on the host go by gloo and those on cards by NCCL, over DLPack: nothing leaves a card.
"""

from __future__ import annotations

import contextlib
import os
from datetime import timedelta
from typing import Any

from armlab.arrays import Array, to_host
from armlab.extras import expect_packages
from armlab.hand.group import RankError
from armlab.places import HOST, place_of

CAME, SAID = "armlab/came/{}", "armlab/said/{}"  # of a rank, in the store that all read


def launched() -> bool:
    """Whether torchrun, or what sets the same variables, has started this process."""
    return {"RANK", "WORLD_SIZE", "MASTER_ADDR", "MASTER_PORT"} <= os.environ.keys()


def restarts() -> int:
    """How often torchrun has started the ranks anew, as one of them had failed."""
    return int(os.environ.get("TORCHELASTIC_RESTART_COUNT", 0))


class ProcessGroup:
    """See `Group`. Leave it by `close`, or within a `with` block.

    seconds  that a rank waits for the others; rank 0 writes between two steps

    Raises RankError where the processes do not find each other, such as with a port in use.
    """

    def __init__(self, seconds: float = 600.0) -> None:
        expect_packages({"torch": "torch"}, extra="torch")
        import torch

        distributed: Any = torch.distributed
        self.rank, self.size = int(os.environ["RANK"]), int(os.environ["WORLD_SIZE"])
        self._dist = distributed
        self._seconds = seconds
        self._hosts_only = not torch.cuda.is_available()
        backend = "gloo" if self._hosts_only else "cpu:gloo,cuda:nccl"
        limit = timedelta(seconds=seconds)
        try:
            store, rank, size = next(distributed.rendezvous("env://", timeout=limit))
            attempt = distributed.PrefixStore(f"armlab/{restarts()}", store)  # none finds old words
            distributed.init_process_group(
                backend, store=attempt, rank=rank, world_size=size, timeout=limit
            )
        except (RuntimeError, ValueError) as error:
            there = f"{os.environ['MASTER_ADDR']}:{os.environ['MASTER_PORT']}"
            raise RankError(
                f"rank {self.rank} of {self.size} found no common ground with the others at "
                f"{there} ({_first_line(error)}): give torchrun another port, and all the same one"
            ) from error
        self._store: Any = attempt
        self._exchanges = 0  # that this rank has come to

    def gather(self, a: Array) -> Array:
        given = self._tensor(a)
        found = given.new_empty((self.size, *given.shape))
        self._exchange(self._dist.all_gather, list(found.unbind(0)), given)
        return self._array(found, a)

    def sum(self, a: Array) -> Array:
        total = self._tensor(a)
        self._exchange(self._dist.all_reduce, total)
        return self._array(total, a)

    def _tensor(self, a: Array) -> Any:
        """A copy of an array as a tensor, on its card; of the device in software, on the host."""
        from torch.utils.dlpack import from_dlpack

        where, a = (HOST, to_host(a)) if self._hosts_only else (place_of(a), a)
        return from_dlpack(where.xp.asarray(a, copy=True))

    def _array(self, tensor: Any, like: Array) -> Array:
        where = place_of(like)
        if self._hosts_only:
            return where.asarray(tensor.numpy())
        return where.xp.from_dlpack(tensor)

    def _exchange(self, operation: Any, *tensors: Any) -> None:
        """Run it, and where it fails say who is missing: who came to fewer exchanges than I."""
        self._exchanges += 1
        self._store.set(CAME.format(self.rank), str(self._exchanges))
        try:
            operation(*tensors)
        except RuntimeError as error:
            if "Duplicate GPU" in str(error):  # of NCCL
                raise RankError(
                    f"rank {self.rank} of {self.size} has a card that another rank has as well, "
                    "and each needs its own: give --device cuda and no more processes than cards"
                ) from error
            missing, said = self._missing()
            late = "timed out" in str(error).lower()
            why = f"did not come within {self._seconds:g} s" if late else "has ended"
            raise RankError(
                f"rank {self.rank} waited in an exchange for rank {missing}, which {why}: the last "
                "checkpoint is kept, go on from it with --resume",
                said,
            ) from error

    def _missing(self) -> tuple[str, bool]:
        """Which ranks did not come, and whether one of all others has said why."""
        others = [rank for rank in range(self.size) if rank != self.rank]
        late, said = others, False
        with contextlib.suppress(RuntimeError):  # whoever keeps the store may be gone as well
            came = [int(self._store.get(CAME.format(rank))) for rank in others]
            late = [r for r, n in zip(others, came, strict=True) if n < self._exchanges] or others
            said = any(self._store.check([SAID.format(rank)]) for rank in others)
        return ", ".join(map(str, late)), said

    def close(self) -> None:
        self._dist.destroy_process_group()

    def __enter__(self) -> ProcessGroup:
        return self

    def __exit__(self, kind: object, error: BaseException | None, _: object) -> None:
        if not isinstance(error, RankError):  # who waits for me need not say that I am gone
            with contextlib.suppress(RuntimeError):
                self._store.set(SAID.format(self.rank), "")
        self.close()


def _first_line(error: BaseException) -> str:
    return str(error).strip().split("\n")[0].rstrip(".")
