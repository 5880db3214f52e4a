"""A small OpenAI-compatible server that answers from a function and misbehaves on purpose.

It counts every request by the digest of its body. Faults come from a script, one a request, and
after that by rates: which request meets which fault depends on the seed, on the body and on how
often it came, never on the order. In a test it runs in a thread (`with FaultServer() as server`);
`python tests/completer/fault_server.py --latency-s 0.05 --rate 503=0.1` prints its URL and serves
until it is killed.
"""

import argparse
import asyncio
import hashlib
import json
import random
import socket
import struct
import threading
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from typing import Any, Self

OK = "ok"
FAULTS = (
    "429",
    "429_retry_after",
    "429_retry_date",
    "503",
    "503_retry_after",
    "hang",
    "reset",
    "cut_off",  # the connection ends within the body
    "truncated",  # the body ends within its JSON
    "wrong_schema",  # JSON, but no completion
    "no_choices",
    "null_content",
    "wrong_language",
    "repetition",
    "empty",
    "other_image",  # the reply to an earlier request
)  # and any other status, such as "400"
FOREIGN = "这张图片显示了一片森林和一条河。"
MODEL = "tiny"

Answer = Callable[[dict[str, Any]], str]


def minimal(schema: Mapping[str, Any]) -> Any:
    """Return a small value that a schema allows."""
    if "enum" in schema:
        return schema["enum"][0]
    match schema.get("type"):
        case "object":
            return {name: minimal(part) for name, part in schema.get("properties", {}).items()}
        case "array":
            return [minimal(schema.get("items", {}))] * schema.get("minItems", 0)
        case "integer" | "number":
            return schema.get("minimum", 0)
        case "boolean":
            return False
        case _:
            return "a" * schema.get("minLength", 1)


def plain_answer(body: dict[str, Any]) -> str:
    """Return a text that tells which request it answers; JSON where a schema asks for it."""
    schema = body.get("response_format", {}).get("json_schema", {}).get("schema")
    return json.dumps(minimal(schema)) if schema else f"reply to {digest(body)[:12]}"


def digest(body: dict[str, Any]) -> str:
    return hashlib.sha256(json.dumps(body, sort_keys=True).encode()).hexdigest()


@dataclass(frozen=True, kw_only=True)
class Behaviour:
    """How the server answers; everything is harmless by default."""

    latency_s: float = 0.0
    capacity: int = 10_000  # requests worked on at once; others wait
    refuse_above: int = 10_000  # requests in flight at once; others get 429
    rates: Mapping[str, float] = field(default_factory=dict)  # share of requests by fault
    script: Sequence[str] = ()  # faults (or "ok") of the first requests
    seed: int = 0
    retry_after_s: int = 1
    hang_s: float = 30.0
    key: str | None = None  # asked for, if given
    models: Sequence[str] = (MODEL,)
    version: str | None = "1.2.3"
    error_text: str = "injected"


class FaultServer:
    """Serves on an ephemeral port of 127.0.0.1, in a thread of its own."""

    def __init__(self, behaviour: Behaviour | None = None, answer: Answer = plain_answer) -> None:
        self.behaviour = behaviour or Behaviour()
        self.answer = answer
        self.bodies: list[dict[str, Any]] = []
        self.arrivals_s: list[float] = []
        self.keys: set[str] = set()
        self.asked: Counter[str] = Counter()
        self.answered: Counter[str] = Counter()
        self.faults: Counter[str] = Counter()
        self.in_flight = self.peak = 0
        self._last: tuple[str, str] | None = None  # digest and text of an earlier reply
        self._loop = asyncio.new_event_loop()
        self._started = threading.Event()
        self._thread = threading.Thread(target=self._run, daemon=True)

    @property
    def base_url(self) -> str:
        return f"http://127.0.0.1:{self.port}/v1"

    @property
    def num_requests(self) -> int:
        return self.asked.total()

    def stats(self) -> dict[str, Any]:
        return {
            "requests": self.num_requests,
            "asked": dict(self.asked),
            "answered": dict(self.answered),
            "faults": dict(self.faults),
            "peak": self.peak,
        }

    def __enter__(self) -> Self:
        self._thread.start()
        self._started.wait()
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()

    def stop(self) -> None:
        """Close all connections and the port; more than once does no harm."""
        if self._thread.is_alive():
            self._loop.call_soon_threadsafe(self._stop.set)
            self._thread.join()

    def _run(self) -> None:
        with asyncio.Runner(loop_factory=lambda: self._loop) as runner:
            runner.run(self._serve())

    async def _serve(self) -> None:
        self._stop = asyncio.Event()
        self._free = asyncio.Semaphore(self.behaviour.capacity)
        self._connections: set[asyncio.Task[None]] = set()
        server = await asyncio.start_server(self._connection, "127.0.0.1", 0)
        self.port = server.sockets[0].getsockname()[1]
        self._started.set()
        await self._stop.wait()
        server.close()
        for task in list(self._connections):
            task.cancel()
        await asyncio.gather(*self._connections, return_exceptions=True)
        await server.wait_closed()

    async def _connection(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        self._connections.add(task)
        try:
            with suppress(asyncio.IncompleteReadError, ConnectionError, asyncio.CancelledError):
                while await self._exchange(reader, writer):
                    pass
        finally:
            self._connections.discard(task)
            writer.close()

    async def _exchange(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> bool:
        """Answer one request; return whether the connection stays open."""
        head = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1").split("\r\n")
        method, path, _ = head[0].split(" ", 2)
        headers = {
            name.lower(): value.strip()
            for name, _, value in (line.partition(":") for line in head[1:] if line)
        }
        body = await reader.readexactly(int(headers.get("content-length", 0)))
        key = headers.get("authorization", "").removeprefix("Bearer ")
        self.keys.add(key)
        wanted = self.behaviour.key
        if wanted is not None and key != wanted and path != "/health":
            await _respond(writer, 401, _error(f"Incorrect API key provided: {key}"))
            return True
        if (method, path) == ("POST", "/v1/chat/completions"):
            self.in_flight += 1
            self.peak = max(self.peak, self.in_flight)
            try:
                return await self._complete(json.loads(body), writer)
            finally:
                self.in_flight -= 1
        await _respond(writer, *self._get(path))
        return True

    def _get(self, path: str) -> tuple[int, Any]:
        match path:
            case "/v1/models":
                models = [
                    {"id": name, "object": "model", "owned_by": "faulty", "root": f"/m/{name}"}
                    for name in self.behaviour.models
                ]
                return 200, {"object": "list", "data": models}
            case "/version" if self.behaviour.version:
                return 200, {"version": self.behaviour.version}
            case "/stats":
                return 200, self.stats()
            case "/health":
                return 200, {}
        return 404, _error("not found")

    def _fault(self, name: str) -> str:
        """Return what happens to a request that came just now."""
        number = self.num_requests - 1
        if number < len(self.behaviour.script):
            return self.behaviour.script[number]
        if self.in_flight > self.behaviour.refuse_above:
            return "429"
        draw = random.Random(f"{self.behaviour.seed} {name} {self.asked[name]}").random()
        for fault, rate in self.behaviour.rates.items():
            draw -= rate
            if draw < 0:
                return fault
        return OK

    async def _complete(self, body: dict[str, Any], writer: asyncio.StreamWriter) -> bool:
        name = digest(body)
        self.asked[name] += 1
        self.bodies.append(body)
        self.arrivals_s.append(asyncio.get_running_loop().time())
        fault = self._fault(name)
        self.faults[fault] += fault != OK
        status, _, how = fault.partition("_")
        if status.isdigit():
            error = _error(f"{self.behaviour.error_text} {status}")
            await _respond(writer, int(status), error, self._later(how))
            return True
        if fault == "hang":
            await asyncio.sleep(self.behaviour.hang_s)
            return False
        if fault == "reset":
            _reset(writer)
            return False
        async with self._free:
            await asyncio.sleep(self.behaviour.latency_s)
        if fault == "wrong_schema":
            await _respond(writer, 200, {"object": "list", "data": []})
            return True
        text = self._text(fault, name, body)
        self.answered[name] += 1
        reply = json.dumps(_completion(body, text, fault)).encode()
        if fault == "truncated":
            await _respond(writer, 200, reply[: len(reply) // 2])
        elif fault == "cut_off":
            await _respond(writer, 200, reply[: len(reply) // 2], length=len(reply))
            return False
        else:
            await _respond(writer, 200, reply)
        return True

    def _text(self, fault: str, name: str, body: dict[str, Any]) -> str:
        text = self.answer(body)
        match fault:
            case "wrong_language":
                return FOREIGN
            case "repetition":
                return "the field is green, " * (body.get("max_tokens", 100) // 5)
            case "empty":
                return ""
            case "other_image" if self._last and self._last[0] != name:
                return self._last[1]
        self._last = (name, text)
        return text

    def _later(self, how: str) -> dict[str, str]:
        after_s = self.behaviour.retry_after_s
        if how == "retry_after":
            return {"Retry-After": str(after_s)}
        if how == "retry_date":
            return {"Retry-After": _http_date(after_s)}
        return {}


def _http_date(seconds: int) -> str:
    return format_datetime(datetime.now(UTC) + timedelta(seconds=seconds), usegmt=True)


def _completion(body: dict[str, Any], text: str, fault: str) -> dict[str, Any]:
    num_words = len(text.split())
    reason = "length" if fault == "repetition" else "stop"
    message = {"role": "assistant", "content": None if fault == "null_content" else text}
    choice = {"index": 0, "message": message, "finish_reason": reason}
    return {
        "id": "chatcmpl-0",
        "object": "chat.completion",
        "created": 0,
        "model": body.get("model", ""),
        "choices": [] if fault == "no_choices" else [choice],
        "usage": {
            "prompt_tokens": 10,
            "completion_tokens": num_words,
            "total_tokens": 10 + num_words,
        },
    }


def _error(message: str) -> dict[str, Any]:
    return {"error": {"message": message, "type": "injected", "param": None, "code": None}}


async def _respond(
    writer: asyncio.StreamWriter,
    status: int,
    body: Any,
    headers: Mapping[str, str] | None = None,
    length: int | None = None,
) -> None:
    content = body if isinstance(body, bytes) else json.dumps(body).encode()
    lines = [
        f"HTTP/1.1 {status} Said",
        "Content-Type: application/json",
        f"Content-Length: {len(content) if length is None else length}",
        *(f"{name}: {value}" for name, value in (headers or {}).items()),
    ]
    writer.write("\r\n".join([*lines, "", ""]).encode() + content)
    await writer.drain()


def _reset(writer: asyncio.StreamWriter) -> None:
    """Close with RST instead of FIN."""
    connection = writer.get_extra_info("socket")
    connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    writer.transport.abort()


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--latency-s", type=float, default=0.0)
    parser.add_argument("--capacity", type=int, default=10_000)
    parser.add_argument("--refuse-above", type=int, default=10_000)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--hang-s", type=float, default=30.0)
    parser.add_argument("--rate", action="append", default=[], metavar="FAULT=SHARE")
    given = parser.parse_args()
    rates = {fault: float(rate) for fault, _, rate in (text.partition("=") for text in given.rate)}
    behaviour = Behaviour(
        latency_s=given.latency_s,
        capacity=given.capacity,
        refuse_above=given.refuse_above,
        seed=given.seed,
        hang_s=given.hang_s,
        rates=rates,
    )
    with FaultServer(behaviour) as server:
        print(server.base_url, flush=True)  # noqa: T201
        threading.Event().wait()


if __name__ == "__main__":
    main()
