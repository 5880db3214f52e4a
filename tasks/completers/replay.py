"""Texts of an earlier run, from its store alone: no server, and the same bytes again."""

from collections.abc import Mapping

from tasks.completer import Call, CallFailed, FailedBecause, Reply
from tasks.completers.call_key import call_key
from tasks.completers.call_store import CallStore
from tasks.errors import UserError


class ReplayCompleter:
    """Answers as one writer did; `identity` may be left out where the store has only one."""

    def __init__(self, store: CallStore, identity: Mapping[str, str] | None = None) -> None:
        """Choose the writer.

        Raises:
            UserError: the store is empty, or has several writers and none was named.
        """
        self._store = store
        self._identity = dict(_only_writer(store) if identity is None else identity)

    @property
    def identity(self) -> Mapping[str, str]:
        """The identity of the writer whose replies these are."""
        return dict(self._identity)

    async def complete(self, call: Call) -> Reply:
        """Return the stored reply; CallFailed(NOT_STORED) where there is none."""
        reply = self._store.get(call_key(call, self._identity))
        if reply is None:
            detail = f"{self._store.path} holds no such call of {call.prompt} for {call.source}"
            raise CallFailed(FailedBecause.NOT_STORED, detail)
        return reply


def _only_writer(store: CallStore) -> dict[str, str]:
    writers = store.identities()
    if not writers:
        raise UserError(f"{store.path} holds no call to replay; was it made by another run?")
    if len(writers) > 1:
        known = "; ".join(str(writer) for writer in writers)
        raise UserError(
            f"{store.path} holds calls of several writers, and a replay is of one: {known}"
        )
    return writers[0]
