"""One request to a server that speaks the OpenAI protocol, and what its answer means.

What comes back is a value, an `Answer` or a `Fault`: the exceptions of the client library hold
the request with its key, and go no further than this file.
"""

import asyncio
from dataclasses import dataclass
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from pydantic import BaseModel, Field, ValidationError

from tasks.completers.openai_settings import OpenAISettings, read_key
from tasks.errors import UserError

if TYPE_CHECKING:  # half a second to import, and every build imports this file
    import httpx2
    from openai import APIStatusError

KEY_STATUS = (401, 403)
OVERLOADED = (429, 503, 529)  # 529: "overloaded", sent by some providers
LATER = (408, 409, 425)  # client errors by number that say: not now
DETAIL_CHARS = 500  # of what a server says, kept in messages


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """A completion as the server sent it."""

    text: str
    finish_reason: str
    prompt_tokens: int
    completion_tokens: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Fault:
    """Why an attempt brought none: `kind` is a status, "timeout", "connection" or "body"."""

    kind: str
    detail: str
    again: bool  # whether the same request may be answered later
    overload: bool = False  # whether fewer requests at once would help
    retry_after_s: float | None = None


class _Message(BaseModel):
    content: str | None = None


class _Choice(BaseModel):
    message: _Message
    finish_reason: str


class _Tokens(BaseModel):
    prompt_tokens: int = 0
    completion_tokens: int = 0


class _Completion(BaseModel):
    choices: list[_Choice] = Field(min_length=1)
    usage: _Tokens | None = None


def _is_here(base_url: str) -> bool:
    """Return whether a server is on this machine: no proxy of the environment stands before it."""
    host = urlsplit(base_url).hostname or ""
    return host == "localhost" or host.startswith("127.") or host == "::1"


class OpenAIExchange:
    """The open connections to one server."""

    def __init__(self, settings: OpenAISettings) -> None:
        import httpx2
        from openai import AsyncOpenAI, DefaultAsyncHttpx2Client

        self._settings = settings
        self._key = read_key(settings)
        connections = settings.max_concurrency
        self._client = AsyncOpenAI(
            base_url=settings.base_url,
            api_key=self._key,
            max_retries=0,
            timeout=settings.timeout_s,
            http_client=DefaultAsyncHttpx2Client(
                limits=httpx2.Limits(
                    max_connections=connections, max_keepalive_connections=connections
                ),
                trust_env=not _is_here(settings.base_url),
            ),
        )

    async def complete(self, body: dict[str, Any]) -> Answer | Fault:
        """Send one request for a completion.

        Raises:
            UserError: the server does not accept the key.
        """
        response = await self._send("POST", "/chat/completions", body, self._settings.timeout_s)
        return response if isinstance(response, Fault) else self._read(response)

    async def get(self, path: str, timeout_s: float) -> "httpx2.Response | Fault":
        """Ask for something else; `path` is below the base URL, or a whole URL of the server."""
        return await self._send("GET", path, None, timeout_s)

    async def aclose(self) -> None:
        """Close all connections."""
        await self._client.close()

    async def _send(
        self, method: str, path: str, body: dict[str, Any] | None, timeout_s: float
    ) -> "httpx2.Response | Fault":
        """Return the response to a request, whatever is in it, unless its status is an error."""
        import httpx2
        from openai import APIConnectionError, APIStatusError, APITimeoutError

        try:
            async with asyncio.timeout(timeout_s):  # the client's own is for each read
                if method == "GET":
                    return await self._client.get(path, cast_to=httpx2.Response)
                return await self._client.post(path, body=body, cast_to=httpx2.Response)
        except (APITimeoutError, TimeoutError):
            fault = Fault(
                kind="timeout", detail=f"no answer in {timeout_s:g} s", again=True, overload=True
            )
        except APIConnectionError as error:
            cause = error.__cause__ or error
            said = self._clean(str(cause)) or type(cause).__name__
            fault = Fault(kind="connection", detail=f"connection failed: {said}", again=True)
        except APIStatusError as error:
            fault = self._refusal(error)
        if fault.kind in map(str, KEY_STATUS):  # raised here, where no request hangs on it
            raise UserError(self._about_key(fault.kind))
        return fault

    def _refusal(self, error: "APIStatusError") -> Fault:
        status = error.status_code
        body = error.body
        said = body.get("message") if isinstance(body, dict) else None
        overload = status in OVERLOADED
        return Fault(
            kind=str(status),
            detail=f"HTTP {status}: {self._clean(str(said or error.response.text))}",
            again=overload or status in LATER or status >= 500,
            overload=overload,
            retry_after_s=retry_after_s(error.response.headers.get("retry-after")),
        )

    def _read(self, response: "httpx2.Response") -> Answer | Fault:
        try:
            completion = _Completion.model_validate_json(response.content)
        except ValidationError as error:
            why = error.errors(include_url=False, include_input=False)[0]["msg"]
            said = self._clean(response.text)
            detail = f"what came is no completion ({why}): {said}"
            return Fault(kind="body", detail=detail, again=True)
        choice, tokens = completion.choices[0], completion.usage or _Tokens()
        return Answer(
            text=choice.message.content or "",
            finish_reason=choice.finish_reason,
            prompt_tokens=tokens.prompt_tokens,
            completion_tokens=tokens.completion_tokens,
        )

    def _clean(self, said: str) -> str:
        """Return what a server said on one line, short, and without the key."""
        if self._settings.api_key_env:
            said = said.replace(self._key, "***")
        return " ".join(said.split())[:DETAIL_CHARS]

    def _about_key(self, status: str) -> str:
        """Say what to do; what the server says is left out, for it may repeat parts of the key."""
        name = self._settings.api_key_env
        server = f"{self._settings.base_url} answered HTTP {status}"
        if name is None:
            return f"{server}: it asks for a key; name its environment variable in api_key_env"
        return f"{server}: it does not accept the key in {name}; check that variable"


def retry_after_s(header: str | None) -> float | None:
    """Return the seconds of a Retry-After header, which may be a number or a date of HTTP."""
    if header is None:
        return None
    try:
        return max(0.0, float(header))
    except ValueError:
        pass
    try:
        when = parsedate_to_datetime(header)
    except ValueError:
        return None
    if when.tzinfo is None:  # "-0000": UTC, of an unknown place
        when = when.replace(tzinfo=UTC)
    return max(0.0, (when - datetime.now(UTC)).total_seconds())
