"""Runs of several real processes, as the tests start, watch and disturb them."""

import csv
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import numpy as np

SMALL = ("--attention", "arm", "--size", "48", "--channels", "4", "--dtype", "float64")
TORCHRUN = ("-m", "torch.distributed.run", "--standalone", "--nproc-per-node", "2")
SECONDS = 120  # for any one thing to happen, on a machine that others use too


class Job:
    """`armlab train` by several processes, on its way in a folder of its own."""

    def __init__(self, folder, *arguments, by=(), script=None, most_bytes=None):
        self.folder = folder
        self.out, self.err = folder / "out.txt", folder / "err.txt"
        run = ("-m", "armlab") if script is None else (script,)
        command = [sys.executable, *by, *run, "train", *SMALL, "--out", "run"]
        with self.out.open("w") as out, self.err.open("w") as err:
            self.process = subprocess.Popen(
                [*command, *map(str, arguments)],
                stdout=out,
                stderr=err,
                cwd=folder,
                preexec_fn=most_bytes and (lambda: limit_files(most_bytes)),
            )

    def wait_for(self, words):
        """Until it has printed these words."""
        end = time.monotonic() + SECONDS
        while words not in self.out.read_text() + self.err.read_text():
            assert self.process.poll() is None, self.err.read_text()
            assert time.monotonic() < end, f"no {words!r} in {self.err.read_text()}"
            time.sleep(0.02)

    def pids(self):
        """The ranks' processes, in their order."""
        found = {}
        for folder in Path("/proc").glob("[0-9]*"):
            try:
                parent = (folder / "status").read_text().split("PPid:")[1].split()[0]
                environ = (folder / "environ").read_bytes().decode().split("\0")
            except (OSError, IndexError):
                continue
            rank = [word.removeprefix("RANK=") for word in environ if word.startswith("RANK=")]
            if int(parent) == self.process.pid and rank:
                found[int(rank[0])] = int(folder.name)
        return [found[rank] for rank in sorted(found)]

    def end(self):
        """The exit code, and what armlab said on standard error."""
        code = self.process.wait(SECONDS)
        said = [line for line in self.err.read_text().splitlines() if line.startswith("armlab: ")]
        return code, said

    def state(self):
        """The arrays of the checkpoint."""
        with np.load(self.folder / "run" / "checkpoint.npz") as file:
            return {key: file[key] for key in file.files if key.startswith("arrays/")}

    def column(self, name):
        """Of the history, as it is written."""
        with (self.folder / "run" / "history.csv").open(encoding="utf-8") as file:
            return [row[name] for row in csv.DictReader(file)]

    def stop(self):
        """Whatever is left of it, this process's children first."""
        for pid in [*self.pids(), self.process.pid]:
            try:
                os.kill(pid, signal.SIGKILL)
            except ProcessLookupError:
                continue
        self.process.wait()


def limit_files(most):
    import resource

    resource.setrlimit(resource.RLIMIT_FSIZE, (most, most))
