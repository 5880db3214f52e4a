"""Granules whose scenes models write: many scenes in flight, whatever granule they belong to."""

import asyncio
from collections.abc import Awaitable, Callable, Iterator, Mapping, Sequence
from typing import Any, TypeVar

from tasks.errors import UserError
from tasks.granules import GranuleId

MOST_OPEN = 192  # scenes in hand at once, pictures and all: some hundred megabytes

Result = TypeVar("Result")
Written = TypeVar("Written")


async def over_granules(
    granules: Sequence[GranuleId],
    *,
    rows: Callable[[GranuleId], Iterator[dict[str, Any]]],
    scene: Callable[[dict[str, Any]], Awaitable[Result]],
    finish: Callable[[GranuleId, list[Result]], Awaitable[Written]],
    most_open: int,
) -> Mapping[GranuleId, Written]:
    """Write every scene of some granules, and finish each granule when its last scene is done.

    Args:
        granules: Which granules.
        rows: Yields a granule's scene rows, a few held at a time.
        scene: Writes one scene.
        finish: Makes of a granule's results, in the order of its rows, what is kept of it.
        most_open: Scenes in hand at once.

    Raises:
        UserError: what any scene raised; the others are ended.
    """
    slots = asyncio.Semaphore(most_open)
    written: dict[GranuleId, Written] = {}

    async def one(row: dict[str, Any]) -> Result:
        try:
            return await scene(row)
        finally:
            slots.release()

    async def whole(granule: GranuleId, jobs: list[asyncio.Task[Result]]) -> None:
        written[granule] = await finish(granule, list(await asyncio.gather(*jobs)))

    try:
        async with asyncio.TaskGroup() as group:
            for granule in granules:
                jobs = []
                for row in rows(granule):
                    await slots.acquire()
                    jobs.append(group.create_task(one(row)))
                group.create_task(whole(granule, jobs))
    except* UserError as errors:
        raise _first(errors) from errors
    return written


def _first(errors: BaseExceptionGroup[Any]) -> BaseException:
    first: BaseException = errors.exceptions[0]
    return _first(first) if isinstance(first, BaseExceptionGroup) else first
