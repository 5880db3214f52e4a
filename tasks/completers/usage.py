"""What a run's calls came to: how many, what failed, tokens, money and time."""

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass

MILLION = 1_000_000


@dataclass(frozen=True, slots=True, kw_only=True)
class Usage:
    """The counts of one completer since its start.

    Attributes:
        made: Calls that the server answered and that were stored.
        stored: Replies that were in the store.
        joined: Calls that waited for the same one in flight.
        failed: Calls without a reply.
        retries: Attempts that were made again, by what was wrong ("429", "timeout", ...).
        prompt_tokens: Of the calls made.
        completion_tokens: Of the calls made.
        cost: Of the calls made, in the unit of the prices.
        peak_concurrency: Most calls in flight at once.
        mean_latency_s: Of the attempts that were answered, request to last byte.
        max_latency_s: The same, the slowest.
    """

    made: int
    stored: int
    joined: int
    failed: int
    retries: Mapping[str, int]
    prompt_tokens: int
    completion_tokens: int
    cost: float
    peak_concurrency: int
    mean_latency_s: float
    max_latency_s: float

    def __str__(self) -> str:
        retried = ", ".join(f"{number:,} after {kind}" for kind, number in self.retries.items())
        parts = [
            f"{self.made:,} calls made, {self.stored:,} from the store, {self.failed:,} failed",
            f"retries: {retried or 'none'}",
            f"{self.prompt_tokens:,} + {self.completion_tokens:,} tokens",
            f"at most {self.peak_concurrency} in flight, {self.mean_latency_s:.1f} s each",
        ]
        return "; ".join([*parts, f"cost {self.cost:.2f}"] if self.cost else parts)


class Counters:
    """Counts as calls end."""

    def __init__(self) -> None:
        self.made = self.stored = self.joined = self.failed = 0
        self.retries: Counter[str] = Counter()
        self._prompt_tokens = self._completion_tokens = 0
        self._latency_s = self._max_latency_s = 0.0

    def answered(self, prompt_tokens: int, completion_tokens: int, latency_s: float) -> None:
        """Note a call that was made."""
        self.made += 1
        self._prompt_tokens += prompt_tokens
        self._completion_tokens += completion_tokens
        self._latency_s += latency_s
        self._max_latency_s = max(self._max_latency_s, latency_s)

    def usage(self, *, prompt_price: float, completion_price: float, peak: int) -> Usage:
        """Return the counts so far; prices are of a million tokens."""
        spent = self._prompt_tokens * prompt_price + self._completion_tokens * completion_price
        return Usage(
            made=self.made,
            stored=self.stored,
            joined=self.joined,
            failed=self.failed,
            retries=dict(sorted(self.retries.items())),
            prompt_tokens=self._prompt_tokens,
            completion_tokens=self._completion_tokens,
            cost=spent / MILLION,
            peak_concurrency=peak,
            mean_latency_s=self._latency_s / self.made if self.made else 0.0,
            max_latency_s=self._max_latency_s,
        )
