"""What a person sees while a build runs: bars on a terminal, plain lines elsewhere."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from time import monotonic

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

LINE_EVERY_S = 10.0

console = Console(stderr=True)
_watchers: list[Callable[["Bar"], None]] = []


def told(line: str) -> None:
    """Print a line as it is."""
    console.print(line, markup=False, highlight=False, soft_wrap=True)


@contextmanager
def watched(watcher: Callable[["Bar"], None]) -> Iterator[None]:
    """Tell a watcher of each bar of this process, when it begins and at every step."""
    _watchers.append(watcher)
    try:
        yield
    finally:
        _watchers.remove(watcher)


class Bar:
    """One stage's progress over granules."""

    def __init__(self, stage: str, total: int) -> None:
        self.stage, self.total, self.done = stage, total, 0
        self._said = monotonic()
        self._progress: Progress | None = None

    def advance(self) -> None:
        """Note one more finished granule."""
        self.done += 1
        self._tell()
        if self._progress is not None:
            self._progress.advance(self._progress.task_ids[0])
        elif monotonic() - self._said > LINE_EVERY_S:
            self._said = monotonic()
            console.print(f"{self.stage}: {self.done} of {self.total} granules", highlight=False)

    @contextmanager
    def shown(self) -> Iterator["Bar"]:
        """Show the bar while the stage runs."""
        self._tell()
        if not console.is_terminal:
            yield self
            return
        columns = (TextColumn("{task.description:<8}"), BarColumn(), MofNCompleteColumn())
        with Progress(*columns, TimeElapsedColumn(), console=console) as progress:
            progress.add_task(self.stage, total=self.total)
            self._progress = progress
            yield self

    def _tell(self) -> None:
        for watcher in _watchers:
            watcher(self)
