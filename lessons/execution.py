"""Run a notebook on a kernel of its own, for the site and for the tests."""

import os
from pathlib import Path
from typing import Any

import nbclient
import nbformat
import zmq


class Client(nbclient.NotebookClient):
    """A client that hears every answer of its kernel.

    A widget makes nbclient send on the shell socket while it waits there for the cell's reply
    (jupyter/nbclient#312). Sending takes in what has arrived, the wake-up with it, and the event
    loop would then wait for ever for a reply that is there. To ask a socket of pyzmq for its
    EVENTS makes the loop look again.
    """

    def process_message(self, *message: Any) -> Any:
        try:
            return super().process_message(*message)
        finally:
            self.kc.shell_channel.socket.get(zmq.EVENTS)


def execute(book: nbformat.NotebookNode, folder: Path, seconds: int, **environment: str) -> None:
    """Fill in the outputs of a notebook that lies in `folder`, with so long for each cell.

    Raises CellExecutionError and CellTimeoutError of nbclient.
    """
    client = Client(
        book,
        timeout=seconds,
        kernel_name="python3",
        extra_arguments=["--log-level=ERROR"],
        resources={"metadata": {"path": str(folder)}},
    )
    client.execute(env=os.environ | environment)
