"""Without synchronised statistics ranks do what PyTorch's DistributedDataParallel does."""

import numpy as np


def test_curves_by_hand_and_of_distributed_data_parallel_agree(started):
    found = {}
    for backend in ("numpy", "torch"):
        job = started("--steps", 30, "--batch", 5, "--processes", 2, "--backend", backend)
        assert job.end() == (0, [])
        found[backend] = [float(loss) for loss in job.column("loss")]
    assert len(found["torch"]) == 10
    np.testing.assert_allclose(found["numpy"], found["torch"], rtol=1e-9)


def test_synchronised_statistics_in_pytorch_want_a_card(started):
    job = started("--backend", "torch", "--processes", 2, "--sync-batch-norm")
    code, said = job.end()
    assert code == 1
    assert len(said) == 1
    assert "PyTorch's SyncBatchNorm runs on no CPU" in said[0]
