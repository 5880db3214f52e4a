"""One request to a server that speaks the OpenAI protocol, and what its answer means.

The protocol is two paths and a JSON body. It is spoken over aiohttp without the openai package,
which would cost more processor time than all the rest of a call (benchmarks/client.py, "plain").
What comes back is a value, an `Answer` or a `Fault`: the exceptions of aiohttp may hold the request
with its key, and go no further than this file.
"""

import asyncio
import ipaddress
import json
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from io import BytesIO
from typing import Any
from urllib.parse import urlsplit
from urllib.request import getproxies, proxy_bypass

import aiohttp
from pydantic import BaseModel, Field, ValidationError

from tasks.errors import UserError
from tasks.openai_settings import OpenAISettings, read_key

KEY_STATUS = (401, 403)
OVERLOADED = (429, 503, 529)  # 529: "overloaded", sent by some providers
LATER = (408, 409, 425)  # client errors by number that say: not now
DETAIL_CHARS = 500  # of what a server says, kept in messages
KEEP_ALIVE_S = 4.0  # vLLM closes an idle connection after 5 s; who closes first meets no fault
JSON_HEADERS = {"Content-Type": "application/json"}


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


class OpenAIExchange:
    """The open connections to one server; made in the event loop that uses them."""

    def __init__(self, settings: OpenAISettings) -> None:
        self._settings = settings
        self._key = read_key(settings)
        self._session = aiohttp.ClientSession(
            connector=aiohttp.TCPConnector(
                limit=settings.max_concurrency, keepalive_timeout=KEEP_ALIVE_S
            ),
            headers={"Authorization": f"Bearer {self._key}"},
            timeout=aiohttp.ClientTimeout(total=None),  # `_send` has its own
            cookie_jar=aiohttp.DummyCookieJar(),
            proxy=_proxy(settings.base_url),  # trust_env would read .netrc at each request too
        )

    async def complete(self, body: dict[str, Any]) -> Answer | Fault:
        """Send one request for a completion.

        Raises:
            UserError: the server does not accept the key.
        """
        url = f"{self._settings.base_url}/chat/completions"
        content = await self._send("POST", url, body, self._settings.timeout_s)
        return content if isinstance(content, Fault) else self._read(content)

    async def get(self, path: str, timeout_s: float) -> bytes | Fault:
        """Ask for something else; `path` is below the base URL, or a whole URL of the server."""
        url = path if "://" in path else self._settings.base_url + path
        return await self._send("GET", url, None, timeout_s)

    async def aclose(self) -> None:
        """Close all connections."""
        await self._session.close()

    async def _send(
        self, method: str, url: str, body: dict[str, Any] | None, timeout_s: float
    ) -> bytes | Fault:
        """Return what a server answers to a request, whatever it is, unless its status is an error.

        A file and no bytes are handed to aiohttp: it warns of more than a megabyte of them.
        """
        data = None if body is None else BytesIO(json.dumps(body).encode())
        headers = None if body is None else JSON_HEADERS
        try:
            async with (
                asyncio.timeout(timeout_s),
                self._session.request(method, url, data=data, headers=headers) as response,
            ):
                content = await response.read()
                status, said = response.status, response.headers
        except TimeoutError:
            detail = f"no answer in {timeout_s:g} s"
            return Fault(kind="timeout", detail=detail, again=True, overload=True)
        except (aiohttp.ClientError, OSError, ValueError) as error:
            why = self._clean(str(error)) or type(error).__name__
            return Fault(kind="connection", detail=f"connection failed: {why}", again=True)
        if status in KEY_STATUS:
            raise UserError(self._about_key(status))
        return content if 200 <= status < 300 else self._refusal(status, content, said)

    def _refusal(self, status: int, content: bytes, headers: Mapping[str, str]) -> Fault:
        overload = status in OVERLOADED
        return Fault(
            kind=str(status),
            detail=f"HTTP {status}: {self._clean(_error_message(content))}",
            again=overload or status in LATER or status >= 500,
            overload=overload,
            retry_after_s=retry_after_s(headers.get("Retry-After")),
        )

    def _read(self, content: bytes) -> Answer | Fault:
        try:
            completion = _Completion.model_validate_json(content)
        except ValidationError as error:
            why = error.errors(include_url=False, include_input=False)[0]["msg"]
            said = self._clean(content.decode(errors="replace"))
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

    def _about_key(self, status: int) -> str:
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


def _error_message(content: bytes) -> str:
    """Return the message in the body of an error, or all of it where none can be told."""
    with suppress(ValueError):
        body = json.loads(content)
        error = body.get("error", body) if isinstance(body, dict) else None
        if isinstance(error, dict) and error.get("message"):
            return str(error["message"])
    return content.decode(errors="replace")


def _proxy(url: str) -> str | None:
    """Return the proxy that the environment names for a URL; none for one on this machine."""
    parts = urlsplit(url)
    host = parts.hostname or ""
    if _is_loopback(host) or proxy_bypass(host):
        return None
    proxies = getproxies()
    return proxies.get(parts.scheme) or proxies.get("all")


def _is_loopback(host: str) -> bool:
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"
