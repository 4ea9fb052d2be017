"""The client that runs the lessons hears every answer of its kernel."""

import asyncio
import time
from types import SimpleNamespace
from typing import Any

import nbclient
import pytest
import zmq
import zmq.asyncio
from lesson_tools import execution
from nbformat.v4 import new_code_cell, new_notebook


def send_as_a_widget_does(client: Any, *message: Any) -> None:
    socket = client.kc.shell_channel.socket
    zmq.Socket.shadow(socket.underlying).send(b"the state of a widget")


async def hears(client: nbclient.NotebookClient) -> bool:
    """Whether it hears a reply that arrives just before a widget makes it send."""
    context, theirs = zmq.asyncio.Context(), zmq.Context()
    kernel = theirs.socket(zmq.PAIR)
    shell = context.socket(zmq.PAIR)
    try:
        shell.connect(f"tcp://127.0.0.1:{kernel.bind_to_random_port('tcp://127.0.0.1')}")
        await shell.send(b"a request")
        kernel.recv()
        reply = asyncio.ensure_future(shell.poll(5000))
        await asyncio.sleep(0.1)  # it waits
        kernel.send(b"the reply")
        time.sleep(0.3)  # the reply arrives, and the loop has not looked yet
        client.kc = SimpleNamespace(shell_channel=SimpleNamespace(socket=shell))
        client.process_message({}, new_code_cell(), 0)
        done, _ = await asyncio.wait([reply], timeout=1)
        reply.cancel()
        return bool(done)
    finally:
        kernel.close(linger=0)
        shell.close(linger=0)
        context.term()
        theirs.term()


@pytest.mark.parametrize(
    ("kind", "heard"),
    [
        (execution.Client, True),
        (nbclient.NotebookClient, False),  # once it is True, ours has had its time
    ],
    ids=["ours", "nbclient"],
)
def test_reply_that_a_widget_talks_over_is_heard(
    kind: Any, heard: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    client = kind(new_notebook())
    monkeypatch.setattr(nbclient.NotebookClient, "process_message", send_as_a_widget_does)
    assert asyncio.run(hears(client)) is heard


@pytest.mark.lessons
def test_a_widget_that_talks_all_the_time_runs_to_its_end(tmp_path: Any) -> None:
    out = new_code_cell("import ipywidgets\nout = ipywidgets.Output()")
    talk = [new_code_cell("with out:\n    print(1)") for _ in range(100)]
    started = time.monotonic()
    execution.execute(new_notebook(cells=[out, *talk]), tmp_path, seconds=100)
    assert time.monotonic() - started < 100  # a cell that falls silent takes that long alone
