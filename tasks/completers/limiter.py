"""How many calls may be in flight: as many as the server takes without getting slow or refusing.

The limit rises while more calls at once bring more replies a second: by one a finished call until
the first trouble, then by one a round trip. A server that batches answers each call more slowly the
more it holds, and all of them sooner; one that is full only lets them queue. It halves where the
server refuses or times out more than a third of a round, at most once a round trip: fewer refusals
cost less, made again, than half of all calls in flight would.
All times are the event loop's, in seconds.
"""

import asyncio
from collections import deque
from dataclasses import dataclass

FEWER = 2 / 3  # of the calls in flight had the round that a round is compared with
GAIN = 1.05  # times its calls a second, at least: else the server only queues
REFUSED = 1 / 3  # of a round; more is no accident
ROUND = 16  # calls that a round has at least, so that one refusal of a few is no share
ROUNDS_KEPT = 64  # what was measured before is forgotten, for replies may get longer


@dataclass(frozen=True, slots=True)
class _Round:
    """How many replies a second came with so many calls in flight."""

    in_flight: float
    replies_s: float


class AdaptiveLimiter:
    """Lets calls pass, first come first served; for one event loop."""

    def __init__(self, *, start: int, maximum: int) -> None:
        self._limit = float(min(start, maximum))
        self._maximum = maximum
        self._waiting: deque[asyncio.Future[None]] = deque()
        self._in_flight = 0
        self._peak = 0
        self._paused_until = 0.0
        self._halved_at = -1.0
        self._untroubled = True
        self._loads: list[int] = []  # calls in flight as each reply of this round came
        self._began_at = -1.0
        self._size = float(ROUND)
        self._refused = 0  # in this round
        self._rounds: deque[_Round] = deque(maxlen=ROUNDS_KEPT)
        self._holds = True

    @property
    def limit(self) -> int:
        """How many calls may be in flight now."""
        return int(self._limit)

    @property
    def peak(self) -> int:
        """The most calls that ever were in flight at once."""
        return self._peak

    async def acquire(self, *, first: bool = False) -> float:
        """Wait for a slot; return the time it was given at. `release` must follow.

        `first` goes before all that wait, so that a call is tried to its end before new ones are.
        """
        loop = asyncio.get_running_loop()
        ready = loop.create_future()
        if first:
            self._waiting.appendleft(ready)
        else:
            self._waiting.append(ready)
        self._wake()
        try:
            await ready
        except asyncio.CancelledError:
            if not ready.cancelled():  # the slot was given in the same moment
                self.release()
            raise
        if self._began_at < 0:
            self._start_round()
        return loop.time()

    def release(self) -> None:
        """Give a slot back, whatever became of the call."""
        self._in_flight -= 1
        self._wake()

    def succeeded(self) -> None:
        """Note a reply, while its slot is still held."""
        self._loads.append(self._in_flight)
        if len(self._loads) + self._refused >= self._size:
            self._look()
        if self._holds and self._in_flight >= self.limit:
            rise = 1.0 if self._untroubled else 1.0 / self._limit
            self._limit = min(self._maximum, self._limit + rise)

    def overloaded(self, started_at: float) -> None:
        """Note that the server refused or timed out a call that got its slot at `started_at`."""
        if started_at <= self._halved_at:
            return  # sent before the last halving: it says nothing new
        self._refused += 1
        if self._refused > REFUSED * self._size:
            self._halved_at = asyncio.get_running_loop().time()
            self._untroubled = False
            self._limit = max(1.0, self._limit / 2)
            self._start_round()

    def pause(self, seconds: float) -> None:
        """Let no call pass for so long; those in flight go on."""
        loop = asyncio.get_running_loop()
        until = loop.time() + seconds
        if until > self._paused_until:
            self._paused_until = until
            loop.call_at(until, self._resume, until)

    def _look(self) -> None:
        """End a round: compare it with the last one that had clearly fewer calls in flight."""
        number, seconds = len(self._loads), asyncio.get_running_loop().time() - self._began_at
        ended = _Round(sum(self._loads) / number, number / seconds if seconds else float("inf"))
        self._start_round()
        smaller = (r for r in reversed(self._rounds) if r.in_flight <= FEWER * ended.in_flight)
        before = next(smaller, None)
        self._holds = before is None or ended.replies_s >= GAIN * before.replies_s
        self._untroubled &= self._holds
        self._rounds.append(ended)

    def _start_round(self) -> None:
        self._began_at = asyncio.get_running_loop().time()
        self._size = max(self._limit, ROUND)
        self._loads.clear()
        self._refused = 0

    def _resume(self, until: float) -> None:
        if until == self._paused_until:  # no longer pause was asked for since
            self._paused_until = 0.0
            self._wake()

    def _wake(self) -> None:
        while self._waiting and not self._paused_until and self._in_flight < self.limit:
            ready = self._waiting.popleft()
            if not ready.done():  # its caller may have gone
                self._in_flight += 1
                self._peak = max(self._peak, self._in_flight)
                ready.set_result(None)
