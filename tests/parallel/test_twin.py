"""Without synchronised statistics ranks do what PyTorch's DistributedDataParallel does."""

import csv

import numpy as np
from processes import Job


def losses(job):
    with (job.folder / "run" / "history.csv").open(encoding="utf-8") as file:
        return [float(row["loss"]) for row in csv.DictReader(file)]


def test_curves_by_hand_and_of_distributed_data_parallel_agree(tmp_path):
    found = {}
    for backend in ("numpy", "torch"):
        folder = tmp_path / backend
        folder.mkdir()
        job = Job(folder, "--steps", 30, "--batch", 5, "--processes", 2, "--backend", backend)
        assert job.end() == (0, [])
        found[backend] = losses(job)
    assert len(found["torch"]) == 10
    np.testing.assert_allclose(found["numpy"], found["torch"], rtol=1e-9)


def test_synchronised_statistics_in_pytorch_want_a_card(tmp_path):
    job = Job(tmp_path, "--backend", "torch", "--processes", 2, "--sync-batch-norm")
    code, said = job.end()
    assert code == 1
    assert len(said) == 1
    assert "PyTorch's SyncBatchNorm runs on no CPU" in said[0]
