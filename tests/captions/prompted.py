"""What a model that reads its prompt would reply: sentences from the table, and lies on demand.

It knows nothing but the request: the regions, their shares and images stand in the prompt.
"""

import hashlib
import json
import random
import re
from collections.abc import Callable
from typing import Any

_REGION = re.compile(
    r"^region (\d+): ([^;]+)(?:; on image (\d+))?; ([\d,]+) pixels(.*)$", re.MULTILINE
)
_SHARE = re.compile(r"; ([\d.]+) % of (the image|the labelled area)")
_COUNT = re.compile(r"; (\d[\d,]*) ([a-z][a-z ]*?)(?=;|$)")
FAULT_MIX = (  # of the fault server, in equal shares
    "429",
    "429_retry_after",
    "503",
    "reset",
    "truncated",
    "wrong_schema",
    "wrong_language",
    "repetition",
    "empty",
    "other_image",
)
LIES = ("The overlay shows every region.", "The legend names all of it.")  # false of any scene


def text_of(body: dict[str, Any], role: str = "user", turn: int = 0) -> str:
    """Return the text of a user's turn of a request."""
    turns = [message for message in body["messages"] if message["role"] == role]
    content = turns[turn]["content"]
    if isinstance(content, str):
        return content
    return "".join(part["text"] for part in content if part["type"] == "text")


def well_read(body: dict[str, Any], lies: tuple[str, ...] = ()) -> str:
    """Return the reply to a caption's prompt, true to its table, with lies among it."""
    regions = _REGION.findall(text_of(body))
    if "response_format" in body:
        largest = max(regions, key=lambda region: int(region[3].replace(",", "")))
        return json.dumps({"title": f"A scene with {largest[1]}", "main_region": int(largest[0])})
    thoughts, named = [], []
    for number, phrase, image, _, rest in regions:
        lead = f"Image {image}: " if image else ""
        thoughts.append(f"{lead}I mark {phrase} [SEG {number}].")
        if share := _SHARE.search(rest):
            thoughts.append(f"{lead}It covers {share[1]} % of {share[2]}.")
        named.append(f"{lead}There is {phrase}." if image else phrase)
    caption = (
        " ".join(named) if named[0].startswith("Image") else f"The scene shows {', '.join(named)}."
    )
    return f"<think>{' '.join([*thoughts, *lies])}</think><caption>{caption}</caption>"


def lie(body: dict[str, Any], rng: random.Random) -> str:
    """Return a sentence that is false of the scene: a share far off, or talk of the drawing."""
    for _, phrase, image, _, rest in _REGION.findall(text_of(body)):
        if share := _SHARE.search(rest):
            off = (round(float(share[1])) + 47) % 100
            lead = f"Image {image}: " if image else ""
            return f"{lead}{phrase.capitalize()} covers {off} % of the picture."
    return rng.choice(LIES)


def lying(share: float, seed: int = 0) -> Callable[[dict[str, Any]], str]:
    """Return a writer that lies in a share of its first replies, and in half of the mended ones."""

    def answer(body: dict[str, Any]) -> str:
        digest = hashlib.sha256(json.dumps(body, sort_keys=True).encode()).hexdigest()
        rng = random.Random(f"{seed}:{digest}")
        return well_read(body, (lie(body, rng),) if rng.random() < share else ())

    return answer
