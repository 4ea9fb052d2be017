"""Ranks on this machine, started as torchrun does, and ended with one sentence."""

from __future__ import annotations

import logging
import os
import signal
import sys
import uuid
from collections.abc import Sequence

from armlab.extras import expect_packages
from armlab.hand.group import RankError

# Signals that the launcher of torch takes, and does not give back.
TAKEN = (signal.SIGINT, signal.SIGTERM)


def launch(count: int, arguments: Sequence[str], module: str = "armlab") -> int:
    """Run a module with these arguments in so many processes; the exit code of the first to fail.

    Raises RankError where one of them, or this process, was killed by a signal.
    """
    expect_packages({"torch": "torch"}, extra="torch")
    os.environ.setdefault("OMP_NUM_THREADS", "1")  # as torchrun has it
    os.environ.setdefault("TORCH_ELASTIC_SHUTDOWN_TIMEOUT", "5")  # seconds for a rank that hangs
    from torch.distributed.elastic.multiprocessing.api import SignalException
    from torch.distributed.elastic.multiprocessing.errors import ChildFailedError
    from torch.distributed.launcher.api import LaunchConfig, elastic_launch

    for name in list(logging.root.manager.loggerDict):
        if name.startswith("torch.distributed.elastic"):
            logging.getLogger(name).setLevel(logging.CRITICAL)
    config = LaunchConfig(
        min_nodes=1,
        max_nodes=1,
        nproc_per_node=count,
        rdzv_backend="c10d",
        rdzv_endpoint="localhost:0",  # a free port
        run_id=str(uuid.uuid4()),
        max_restarts=0,
        local_addr="localhost",
    )
    before = {number: signal.getsignal(number) for number in TAKEN}
    try:
        elastic_launch(config, sys.executable)("-m", module, *arguments)
    except ChildFailedError as error:
        rank, failure = error.get_first_failure()
        if failure.exitcode < 0:  # else it has said why itself
            name = signal.Signals(-failure.exitcode).name
            raise RankError(f"rank {rank} was ended by {name}, and all others with it") from None
        return int(failure.exitcode)
    except SignalException as stopped:
        if stopped.sigval == signal.SIGINT:
            return 128 + signal.SIGINT  # rank 0 has said what is kept
        name = signal.Signals(stopped.sigval).name
        raise RankError(
            f"ended by {name}, and all ranks with it: the last checkpoint is kept, go on from it "
            "with --resume"
        ) from None
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
    return 0
