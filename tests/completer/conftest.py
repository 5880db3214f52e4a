"""A server with faults, a completer connected to it, and calls to make."""

import asyncio
from collections.abc import Awaitable, Callable, Iterator
from contextlib import ExitStack
from io import BytesIO
from pathlib import Path
from typing import Any

import pytest
from PIL import Image

from tasks.completer import Call, Reply, Sampling, Turn
from tasks.completers.call_store import CallStore
from tasks.completers.openai_completer import OpenAICompleter
from tasks.completers.openai_settings import OpenAISettings
from tests.completer.fault_server import MODEL, Answer, Behaviour, FaultServer, plain_answer

Serve = Callable[..., FaultServer]
Work = Callable[[OpenAICompleter], Awaitable[Any]]
QUICK = {"model": MODEL, "backoff_s": 0.005, "max_backoff_s": 0.02, "timeout_s": 5.0}


@pytest.fixture
def serve() -> Iterator[Serve]:
    """Start a server that behaves as given; it ends with the test."""
    with ExitStack() as servers:

        def start(answer: Answer = plain_answer, **behaviour: Any) -> FaultServer:
            return servers.enter_context(FaultServer(Behaviour(**behaviour), answer))

        yield start


@pytest.fixture
def store(tmp_path: Path) -> Iterator[CallStore]:
    with CallStore(tmp_path / "calls.db") as store:
        yield store


@pytest.fixture
def run(store: CallStore) -> Callable[..., Any]:
    """Run some work with a completer that is connected to a server, and close it."""

    def run(server: FaultServer, work: Work, **settings: Any) -> Any:
        async def connected() -> Any:
            given = OpenAISettings(**{**QUICK, "base_url": server.base_url, **settings})
            async with await OpenAICompleter.connect(given, store) as completer:
                return await work(completer)

        return asyncio.run(connected())

    return run


@pytest.fixture
def make_call() -> Callable[..., Call]:
    """Return the n-th call: other words for another n."""

    def make(n: int = 0, **changed: Any) -> Call:
        turns = (Turn(role="user", text=f"Say what is in scene {n}."),)
        fields = {"turns": turns, "prompt": "cap_cot@1", "source": "xbd", "sampling": Sampling()}
        return Call(**{**fields, **changed})

    return make


@pytest.fixture
def make_reply() -> Callable[..., Reply]:
    def make(text: str = "A lake.", **changed: Any) -> Reply:
        fields = {"finish_reason": "stop", "prompt_tokens": 7, "completion_tokens": 3}
        return Reply(text=text, **{**fields, **changed})

    return make


@pytest.fixture
def make_png() -> Callable[..., bytes]:
    def make(width: int, height: int, *, mode: str = "RGB", color: Any = 0) -> bytes:
        encoded = BytesIO()
        Image.new(mode, (width, height), color).save(encoded, "PNG")
        return encoded.getvalue()

    return make
