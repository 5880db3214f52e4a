"""Texts of an earlier run, from its store alone: no server, and the same bytes again."""

from collections.abc import Mapping

from tasks.completer import Call, CallFailed, FailedBecause, Reply
from tasks.completers.call_key import call_key
from tasks.completers.call_store import CallStore
from tasks.errors import UserError


class ReplayCompleter:
    """Answers as one writer did; `model` may be left out where the store has only one."""

    def __init__(self, store: CallStore, model: str = "") -> None:
        """Choose the writer.

        Raises:
            UserError: the store has no such writer, or several and none was named.
        """
        self._store = store
        self._identity = _writer(store, model)

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


def _writer(store: CallStore, model: str) -> dict[str, str]:
    known = store.identities()
    writers = [writer for writer in known if not model or writer.get("model") == model]
    if len(writers) == 1:
        return writers[0]
    if not known:
        raise UserError(f"{store.path} holds no call to replay; was it made by another run?")
    told = "; ".join(map(str, known))
    if not writers:
        raise UserError(f"{store.path} holds no call of the model {model!r}, only of: {told}")
    raise UserError(
        f"{store.path} holds calls of several writers, and a replay is of one: name it by `model`, "
        f"or take a store of its own: {told}"
    )
