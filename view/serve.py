"""Start the page: on this machine alone, while the shards after the first are still read."""

import socket
from collections.abc import Callable, Sequence
from ipaddress import ip_address
from pathlib import Path
from tempfile import TemporaryDirectory
from threading import Thread

import uvicorn

from tasks.errors import UserError
from tasks.storage.pull import opened
from view.app import application
from view.looked_at import LookedAt


def serve(names: Sequence[str], host: str, port: int, say: Callable[[str], None]) -> None:
    """Show a dataset, or two of which the second is compared with the first, until interrupted.

    Raises:
        ManifestError: a folder holds no finished dataset.
        UserError: a version that is not kept, more than two datasets, an address that is not of
            this machine alone, or a port that is taken.
    """
    if len(names) > 2:
        raise UserError(f"view shows one dataset or compares two, not {len(names)}")
    if not is_loopback(host):
        raise UserError(
            f"--host {host} can be reached from outside, and the page asks nobody who they are; "
            f"leave it at 127.0.0.1 and come through ssh -L {port}:127.0.0.1:{port}"
        )
    folders = [opened(name) for name in names]
    with TemporaryDirectory(prefix="terrascope-view-", ignore_cleanup_errors=True) as spill:
        _serve(folders, Path(spill), host, port, say)


def _serve(
    folders: Sequence[Path], spill: Path, host: str, port: int, say: Callable[[str], None]
) -> None:
    looked_at = LookedAt(folders[-1], spill, folders[0] if len(folders) == 2 else None)
    bound = listening(host, port)
    looked_at.index.fill(most=1)
    Thread(target=looked_at.index.fill, name="index", daemon=True).start()
    shown_host = f"[{host}]" if ":" in host else host
    say(f"page     http://{shown_host}:{bound.getsockname()[1]}/   (ends with Ctrl-C)")
    settings = uvicorn.Config(
        application(looked_at, shown_host), log_level="warning", access_log=False
    )
    uvicorn.Server(settings).run(sockets=[bound])


def is_loopback(host: str) -> bool:
    """Return whether a name or number is this machine seen from itself."""
    try:
        return host == "localhost" or ip_address(host).is_loopback
    except ValueError:
        return False


def listening(host: str, port: int) -> socket.socket:
    """Return a socket that listens at a port of this machine; UserError where it is taken."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    bound = socket.socket(family, socket.SOCK_STREAM)
    bound.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        bound.bind((host, port))
        bound.listen()  # who comes before the server is up waits
    except OSError as error:
        bound.close()
        raise UserError(
            f"port {port} of {host} cannot be had ({error.strerror}); name another with --port, "
            "or --port 0 for any that is free"
        ) from error
    return bound
