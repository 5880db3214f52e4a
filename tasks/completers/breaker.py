"""Stops a run in which too many calls fail: what is broken is then not one scene."""

from collections import Counter, defaultdict, deque
from functools import partial

from pydantic import BaseModel, ConfigDict, Field

from schemas.form import as_form
from tasks.errors import UserError


class ErrorBudget(BaseModel):
    """How many calls of a source may fail, each after all its retries, before the run stops."""

    model_config = ConfigDict(extra="forbid", frozen=True, json_schema_extra=as_form)

    window: int = Field(default=200, ge=1, description="Last calls of a source to look at.")
    minimum: int = Field(default=20, ge=1, description="Calls before their share counts.")
    share: float = Field(default=0.2, gt=0, le=1, description="Stop where more than this failed.")
    consecutive: int = Field(default=10, ge=1, description="Stop after so many failures in a row.")


class CircuitBreaker:
    """Counts by source how calls end; once the budget of one is spent, nothing passes any more."""

    def __init__(self, budget: ErrorBudget) -> None:
        self._budget = budget
        self._failures: dict[str, deque[bool]] = defaultdict(partial(deque, maxlen=budget.window))
        self._in_a_row: Counter[str] = Counter()
        self._stopped_by = ""

    def check(self) -> None:
        """Let a call pass.

        Raises:
            UserError: once the budget of any source is spent, or `stop` was called.
        """
        if self._stopped_by:
            raise UserError(self._stopped_by)

    def stop(self, message: str) -> None:
        """Let nothing pass from now on, for a reason that no other call can escape either."""
        self._stopped_by = self._stopped_by or message

    def succeeded(self, source: str) -> None:
        """Note a call that brought a reply."""
        self._in_a_row[source] = 0
        self._failures[source].append(False)

    def failed(self, source: str, detail: str) -> None:
        """Note a call that brought none after all its retries.

        Raises:
            UserError: as `check`, where this call spends the budget.
        """
        self._in_a_row[source] += 1
        calls = self._failures[source]
        calls.append(True)
        failed = sum(calls)
        in_a_row = self._in_a_row[source]
        spent = len(calls) >= self._budget.minimum and failed > self._budget.share * len(calls)
        if spent or in_a_row >= self._budget.consecutive:
            self.stop(
                f"stopped, because calls for source {source} keep failing: {failed} of its last"
                f" {len(calls)}, {in_a_row} in a row; the last one: {detail}. Finished calls are"
                f" kept: put right what the server says and start again"
            )
        self.check()
