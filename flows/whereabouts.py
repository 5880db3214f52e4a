"""Where a flow run's process is: noted on the run, so that one whose process is gone can be told.

A run that was started by hand and killed, or whose worker went with it, stays Running for ever, and
Prefect notes nothing of it that would be a proof: a process id without its machine.
"""

import os
import socket
from collections.abc import Mapping
from typing import Any

from prefect import State, get_client
from prefect.client.schemas.objects import FlowRun
from prefect.flows import Flow

from tasks.serving.guard import birth

HOST, PID, BORN = "terrascope.host", "terrascope.pid", "terrascope.born"


def note_process(flow: Flow[..., Any], flow_run: FlowRun, state: State) -> None:
    """Note machine, process and the time of its start as labels of a run; a hook of every flow."""
    pid = os.getpid()
    labels: dict[str, bool | int | float | str] = {
        HOST: socket.gethostname(),
        PID: pid,
        BORN: birth(pid) or "",
    }
    with get_client(sync_client=True) as client:
        client.update_flow_run_labels(flow_run.id, labels)


def is_gone(labels: Mapping[str, Any]) -> bool | None:
    """Return whether the process of a run is gone; None where this machine cannot tell."""
    if labels.get(HOST) != socket.gethostname() or not labels.get(BORN):
        return None
    return birth(int(labels[PID])) != str(labels[BORN])
