"""How lmms-eval asks the questions of a dataset made by `terrascope`, and scores the replies.

`terrascope export --to lmms-eval` puts this file beside the task as `utils.py`, so it imports
nothing of the project. A letter, a name or "Yes" has to be the right one; a number has to lie
within the question's margin, or to be worded as the answer is.
"""

import re
from typing import Any

_ANSWER = re.compile(r"<answer>(.*?)(?:</answer>|$)", re.DOTALL | re.IGNORECASE)
_SAID = re.compile(r"answer(?:\s+is)?\s*[:=]?\s*(.+?)\s*$", re.IGNORECASE)
_LETTER = re.compile(r"[\s(*]*([A-Z])[\s*]*(?:[.):,]|$)")
_NUMBER = re.compile(r"(-?\d[\d,]*(?:\.\d+)?)\s*(%|percent|ha|hectares?|km²|km2|m²|m2|km|m)?(?!\w)")
_FACTORS = {  # to the unit of `value`: share of one, square metres, metres
    **dict.fromkeys(("%", "percent"), 0.01),
    **dict.fromkeys(("ha", "hectare", "hectares"), 10_000.0),
    **dict.fromkeys(("km²", "km2"), 1e6),
    **dict.fromkeys(("m²", "m2", "m", ""), 1.0),
    "km": 1000.0,
}
_KINDS = {"share": ("%", "percent"), "m": ("m", "km"), "count": ()}


def doc_to_visual(doc: dict[str, Any]) -> list[Any]:
    """Return the images of a question."""
    return [image.convert("RGB") for image in doc["images"]]


def doc_to_text(
    doc: dict[str, Any], lmms_eval_specific_kwargs: dict[str, str] | None = None
) -> str:
    """Return the question with its options, and what is wanted of the reply."""
    options = [f"{chr(ord('A') + place)}. {option}" for place, option in enumerate(doc["options"])]
    more = lmms_eval_specific_kwargs or {}
    wanted = more.get("choice_prompt" if options else "open_prompt", "")
    return "\n".join(part for part in (doc["question"], *options, wanted) if part)


def doc_to_target(doc: dict[str, Any]) -> str:
    """Return the right letter, or the answer of an open question."""
    return str(doc["letter"] or doc["answer"])


def process_results(doc: dict[str, Any], results: list[str]) -> dict[str, float]:
    """Return 1 or 0 as the accuracy, and as that of the question's task."""
    score = float(is_right(doc, results[0]))
    return {"accuracy": score, doc["task"]: score}


def is_right(doc: dict[str, Any], reply: str) -> bool:
    """Return whether a reply holds the answer."""
    said = said_in(reply)
    if doc["letter"]:
        return bool(_chosen(doc["options"], said) == doc["letter"])
    if doc["value"] is not None:
        return _within(doc, said)
    return _plain(said) == _plain(doc["answer"])


def said_in(reply: str) -> str:
    """Return what a reply gives as its answer: within <answer>, after "answer is", or all of it."""
    marked = _ANSWER.findall(reply)
    if marked:
        return str(marked[-1]).strip()
    lines = reply.strip().splitlines() or [""]
    found = _SAID.search(lines[-1])
    return found[1] if found else reply.strip()


def _chosen(options: list[str], said: str) -> str:
    """Return the letter that is said, or that of the option that is said, or ""."""
    found = _LETTER.match(said)
    if found:
        return found[1]
    letters = [chr(ord("A") + place) for place in range(len(options))]
    same = [
        letter
        for letter, option in zip(letters, options, strict=True)
        if _plain(option) == _plain(said)
    ]
    return same[0] if same else ""


def _within(doc: dict[str, Any], said: str) -> bool:
    if _plain(said) == _plain(doc["answer"]):
        return True
    found = _NUMBER.search(said)
    due = _NUMBER.search(doc["answer"])
    if found is None or due is None:
        return False
    unit = found[2] or due[2] or ""  # a bare number is in the unit of the answer
    allowed = _KINDS.get(doc["unit"])
    if unit and allowed is not None and unit not in allowed:
        return False
    value = float(found[1].replace(",", "")) * _FACTORS[unit]
    low, high = (doc["value"] if bound is None else bound for bound in (doc["low"], doc["high"]))
    slack = 1e-9 * max(1.0, abs(value))
    return bool(low - slack <= value <= high + slack or (found[1], unit) == (due[1], due[2] or ""))


def _plain(text: str) -> str:
    return " ".join(text.casefold().strip().rstrip(".").split())
