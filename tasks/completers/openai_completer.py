"""Texts by a model behind an OpenAI-compatible server: asked once each, kept, and retried."""

import asyncio
import random
import re
from collections.abc import Mapping
from types import TracebackType
from typing import Any, Self

from tasks.completer import Call, CallFailed, FailedBecause, Reply
from tasks.completers.breaker import CircuitBreaker
from tasks.completers.call_key import call_key
from tasks.completers.call_store import CallStore
from tasks.completers.limiter import AdaptiveLimiter
from tasks.completers.openai_exchange import Answer, Fault, OpenAIExchange
from tasks.completers.openai_identity import identify
from tasks.completers.openai_settings import OpenAISettings
from tasks.completers.sent_images import SentImages
from tasks.completers.usage import Counters, Usage
from tasks.errors import UserError


class OpenAICompleter:
    """Asks one model, in one event loop; `connect` makes it, `aclose` or `async with` ends it.

    A reply is in the store before it is returned, and a call in the store is never sent. Equal
    calls in flight are sent once. Images are encoded only while their call has its slot. What
    fails is tried again after a random wait, whose bound doubles each time the server refuses
    or answers nobody.
    """

    def __init__(
        self,
        settings: OpenAISettings,
        store: CallStore,
        exchange: OpenAIExchange,
        identity: Mapping[str, str],
    ) -> None:
        self._settings = settings
        self._store = store
        self._exchange = exchange
        self._identity = dict(identity)
        self._breaker = CircuitBreaker(settings.error_budget)
        self._limiter = AdaptiveLimiter(
            start=settings.start_concurrency, maximum=settings.max_concurrency
        )
        by_file = settings.image_transport == "file"
        self._images = SentImages(
            max_px=settings.max_image_px, folder=settings.image_folder if by_file else None
        )
        self._counters = Counters()
        self._in_flight: dict[str, asyncio.Task[Reply]] = {}
        self._answered_at = 0.0  # by the event loop's clock
        self._closed = False

    @classmethod
    async def connect(cls, settings: OpenAISettings, store: CallStore) -> Self:
        """Return a completer after asking the server who it is; the store stays the caller's.

        Raises:
            UserError: the key is missing or not accepted, the URL does not answer, or the model
                is not served there.
        """
        exchange = OpenAIExchange(settings)
        try:
            identity = await identify(exchange, settings)
        except BaseException:
            await exchange.aclose()
            raise
        return cls(settings, store, exchange, identity)

    @property
    def identity(self) -> Mapping[str, str]:
        """Kind, model, server and digest, and what of the settings changes replies."""
        return dict(self._identity)

    def usage(self) -> Usage:
        """Return what the calls came to so far."""
        return self._counters.usage(
            prompt_price=self._settings.prompt_price,
            completion_price=self._settings.completion_price,
            peak=self._limiter.peak,
        )

    async def complete(self, call: Call) -> Reply:
        """Return the reply to a call, from the store if it was ever made.

        Raises:
            CallFailed: the server refuses this call, or no attempt was answered.
            UserError: the run cannot go on: the key is not accepted, the error budget of a
                source is spent, or the store cannot be used.
        """
        assert not self._closed, "complete after aclose"
        key = call_key(call, self._identity)
        task = self._in_flight.get(key)
        if task is not None:
            self._counters.joined += 1
            return await asyncio.shield(task)
        stored = self._store.get(key)
        if stored is not None:
            self._counters.stored += 1
            return stored
        task = asyncio.create_task(self._make(key, call))
        self._in_flight[key] = task
        task.add_done_callback(lambda _: self._in_flight.pop(key))
        # whoever waits may be cancelled: the call goes on for the others, and for the store
        return await asyncio.shield(task)

    async def aclose(self) -> None:
        """End what is in flight, close the connections, and remove image files."""
        self._closed = True
        tasks = list(self._in_flight.values())
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        self._images.close()
        await self._exchange.aclose()

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        await self.aclose()

    async def _make(self, key: str, call: Call) -> Reply:
        try:
            answer = await self._answer(call)
        except CallFailed as failure:
            self._counters.failed += 1
            self._breaker.failed(call.source, failure.detail)
            raise
        reply = Reply(
            text=answer.text,
            finish_reason=answer.finish_reason,
            prompt_tokens=answer.prompt_tokens,
            completion_tokens=answer.completion_tokens,
        )
        self._breaker.succeeded(call.source)
        # no await from the answer to here: what was paid for cannot be lost by a cancellation
        return self._store.put(key, call, reply, self._identity)

    async def _answer(self, call: Call) -> Answer:
        """Try until the server answers."""
        settings = self._settings
        loop = asyncio.get_running_loop()
        longest_s = settings.backoff_s
        detail = ""
        for attempt in range(settings.retries + 1):
            begun_at = loop.time()
            outcome = await self._attempt(call, again=attempt > 0)
            if isinstance(outcome, Answer):
                self._answered_at = loop.time()
                return outcome
            detail = outcome.detail
            if not outcome.again:
                raise CallFailed(FailedBecause.REFUSED, detail)
            if attempt < settings.retries:
                self._counters.retries[outcome.kind] += 1
                await asyncio.sleep(random.uniform(0, longest_s))  # decides no byte of a dataset
                if outcome.overload or self._answered_at < begun_at:  # others got no answer either
                    longest_s = min(settings.max_backoff_s, 2 * longest_s)
        attempts = f"{settings.retries + 1} attempts; the last one: {detail}"
        raise CallFailed(FailedBecause.EXHAUSTED, attempts)

    async def _attempt(self, call: Call, *, again: bool) -> Answer | Fault:
        """Make one request in a slot, and tell the limiter how it went."""
        started_at = await self._limiter.acquire(first=again)
        try:
            self._breaker.check()
            async with self._images.messages(call) as messages:
                outcome, latency_s = await self._timed(self._body(call, messages))
            if isinstance(outcome, Answer):
                self._limiter.succeeded()
                self._counters.answered(outcome.prompt_tokens, outcome.completion_tokens, latency_s)
            elif outcome.overload:
                self._limiter.overloaded(started_at)
            if isinstance(outcome, Fault) and outcome.retry_after_s:
                self._limiter.pause(min(outcome.retry_after_s, self._settings.max_pause_s))
        finally:
            self._limiter.release()
        return outcome

    async def _timed(self, body: dict[str, Any]) -> tuple[Answer | Fault, float]:
        loop = asyncio.get_running_loop()
        sent_at = loop.time()
        try:
            outcome = await self._exchange.complete(body)
        except UserError as error:
            self._breaker.stop(str(error))
            raise
        return outcome, loop.time() - sent_at

    def _body(self, call: Call, messages: list[dict[str, Any]]) -> dict[str, Any]:
        sampling = call.sampling
        body: dict[str, Any] = {
            "model": self._settings.model,
            "messages": messages,
            "temperature": sampling.temperature,
            "top_p": sampling.top_p,
            "max_tokens": sampling.max_tokens,
            "seed": sampling.seed,
        }
        if call.json_schema is not None:
            name = re.sub(r"[^A-Za-z0-9_-]", "_", call.prompt)[:64]  # the signs the protocol allows
            schema = {"name": name, "schema": dict(call.json_schema), "strict": True}
            body["response_format"] = {"type": "json_schema", "json_schema": schema}
        if self._settings.vllm_extras:
            body["skip_special_tokens"] = False  # vLLM cuts [SEG] out of the text otherwise
        return body
