"""What a model wrote, taken apart by the masks that it marks."""

import re

from schemas.trace import CAPTION_OPEN, SEG, THINK_CLOSE, THINK_OPEN

SENTENCE_END = ". "
# facts put in after a [SEG] are of its own step
_FACTS = re.compile(r" \([\d,]+ of [\d,]+ pixels[^)]*\)")


def step_texts(text: str) -> tuple[str, list[str]]:
    """Return what a trace says before its first step, and the words of each step.

    A step begins with the sentence that its [SEG] stands in, or where the step before it in that
    sentence ends; what follows up to the next one belongs to it.
    """
    thought = text.split(THINK_OPEN, 1)[-1].split(THINK_CLOSE, 1)[0].split(CAPTION_OPEN, 1)[0]
    *marked, last = thought.split(SEG)
    parts = [""]  # before the first step, then each step's
    for words in marked:
        facts = _FACTS.match(words)
        begin = max(words.rfind(SENTENCE_END) + 1, facts.end() if facts else 0)
        parts[-1] += words[:begin]
        parts.append(words[begin:])
    parts[-1] += last
    before, *steps = (_closed(part) for part in parts)
    return before, steps


def _closed(words: str) -> str:
    """Return words without the room that a [SEG] took up among them."""
    return " ".join(words.split()).replace(" .", ".").replace(" ,", ",").lstrip(",. ")
