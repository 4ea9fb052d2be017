"""Runs that the tests start, none of which outlives its test."""

import pytest
from processes import Job


@pytest.fixture
def started(tmp_path):
    jobs = []

    def start(*arguments, **more):
        folder = tmp_path / str(len(jobs))
        folder.mkdir()
        jobs.append(Job(folder, *arguments, **more))
        return jobs[-1]

    yield start
    for job in jobs:
        job.stop()
