"""What makes two calls the same: a digest over all that decides the reply, and over who writes."""

import hashlib
import json
from collections.abc import Mapping
from typing import Any

from tasks.completer import Call, Turn

VERSION = 1  # of what goes into a key; another one makes every stored reply unknown


def call_key(call: Call, identity: Mapping[str, str]) -> str:
    """Return the SHA-256, in hex, of a call to the one that `identity` names.

    `call.source` and `call.fields` are no part of it: the same words and pictures are the same
    call. Images go in as digests of their bytes.
    """
    sampling = call.sampling
    content = {
        "version": VERSION,
        "turns": [_turn(turn) for turn in call.turns],
        "prompt": call.prompt,
        "temperature": float(sampling.temperature),
        "top_p": float(sampling.top_p),
        "max_tokens": sampling.max_tokens,
        "seed": sampling.seed,
        # as text, keys in their order: a server writes the properties in the order of the schema
        "schema": None if call.json_schema is None else json.dumps(dict(call.json_schema)),
        "identity": dict(identity),
    }
    text = json.dumps(content, sort_keys=True, separators=(",", ":"))
    return hashlib.sha256(text.encode()).hexdigest()


def _turn(turn: Turn) -> dict[str, Any]:
    images = [hashlib.sha256(image).hexdigest() for image in turn.images]
    return {"role": turn.role, "text": turn.text, "images": images}
