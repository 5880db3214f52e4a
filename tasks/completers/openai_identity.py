"""Who answers at a URL: asked before the first call, so that a wrong setting ends the start."""

import hashlib
import json
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit, urlunsplit

from tasks.completers.openai_exchange import Fault, OpenAIExchange
from tasks.completers.openai_settings import OpenAISettings
from tasks.errors import UserError

if TYPE_CHECKING:
    import httpx2

ASK_S = 15.0
WEIGHTS = ("id", "root", "max_model_len")  # what a server tells of the model that it loaded


async def identify(exchange: OpenAIExchange, settings: OpenAISettings) -> dict[str, str]:
    """Return the identity of the model: kind, model, server, digest, and how it is asked.

    `max_image_px` and `special_tokens` are in it where they are set: they change replies.

    Raises:
        UserError: nothing answers at the URL, it is no such server, or it lacks the model.
    """
    models = await _models(exchange, settings)
    served = {str(entry.get("id")): entry for entry in models}
    if settings.model not in served:
        names = ", ".join(sorted(served)) or "none"
        raise UserError(
            f"{settings.base_url} does not serve the model {settings.model!r}; it serves: {names}"
        )
    entry = served[settings.model]
    server = f"{entry.get('owned_by') or 'unknown'} {await _version(exchange, settings)}".strip()
    identity = {
        "kind": "openai",
        "model": settings.model,
        "server": server,
        "digest": settings.digest or _digest(entry),
    }
    if settings.max_image_px is not None:
        identity["max_image_px"] = str(settings.max_image_px)
    if settings.vllm_extras:
        identity["special_tokens"] = "kept"
    return identity


async def _models(exchange: OpenAIExchange, settings: OpenAISettings) -> list[dict[str, Any]]:
    response = await exchange.get("/models", ASK_S)
    url = f"{settings.base_url}/models"
    if isinstance(response, Fault):
        raise UserError(
            f"no model can be asked at {url}: {response.detail}; check base_url (it mostly ends"
            f" in /v1) and that the server runs"
        )
    listed = _json(response)
    entries = listed.get("data") if isinstance(listed, dict) else None
    if not isinstance(entries, list) or not all(isinstance(entry, dict) for entry in entries):
        raise UserError(f"{url} answers, but not with a list of models; check base_url")
    return entries


async def _version(exchange: OpenAIExchange, settings: OpenAISettings) -> str:
    """Return the version that a server tells at its root, as vLLM does, or ""."""
    parts = urlsplit(settings.base_url)
    url = urlunsplit((parts.scheme, parts.netloc, "/version", "", ""))
    try:
        response = await exchange.get(url, ASK_S)
    except UserError:  # some servers guard all but their own paths
        return ""
    told = None if isinstance(response, Fault) else _json(response)
    return str(told.get("version", "")) if isinstance(told, dict) else ""


def _json(response: "httpx2.Response") -> Any:
    try:
        return response.json()
    except ValueError:
        return None


def _digest(entry: dict[str, Any]) -> str:
    told = json.dumps({name: entry.get(name) for name in WEIGHTS}, sort_keys=True)
    return hashlib.sha256(told.encode()).hexdigest()
