"""Start the page of a reviewer, on this machine alone, and keep verdicts beside the bench."""

from collections.abc import Callable
from pathlib import Path
from tempfile import TemporaryDirectory

import uvicorn

from tasks.reviewing.items import items_of
from tasks.reviewing.kept import written_by
from tasks.versions import unchanging
from view.desk import Desk
from view.looked_at import LookedAt
from view.review_app import application
from view.serve import listening

HOST = "127.0.0.1"


def serve(
    bench: Path, reviews: Path, reviewer: str, port: int, seed: int, say: Callable[[str], None]
) -> None:
    """Show a reviewer what is to be judged of a bench, until interrupted.

    Raises:
        ManifestError, RowError: a folder that is no dataset, or one that cannot be read.
        UserError: a dataset that is no bench, a reviewer who is reviewing already, or a port that
            is taken.
    """
    kept = unchanging(bench)  # what is judged is what is shown, whatever is published meanwhile
    items = items_of(kept)
    with (
        written_by(reviews, reviewer) as add,
        TemporaryDirectory(prefix="terrascope-review-", ignore_cleanup_errors=True) as spill,
    ):
        looked_at = LookedAt(kept, Path(spill))
        looked_at.index.fill()
        desk = Desk(items, reviews, reviewer, add, seed)
        bound = listening(HOST, port)
        say(f"verdicts {reviews}")
        say(f"page     http://{HOST}:{bound.getsockname()[1]}/   (ends with Ctrl-C)")
        settings = uvicorn.Config(
            application(desk, looked_at), log_level="warning", access_log=False
        )
        uvicorn.Server(settings).run(sockets=[bound])
