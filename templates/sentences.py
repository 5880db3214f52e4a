"""Text into sentences: at full stops, not at decimal points, abbreviations or "Image 2:"."""

import re

# what ends with a full stop and goes on; "no." and "fig." never open a caption's next sentence
_ABBREVIATIONS = ("approx", "ca", "cf", "e.g", "etc", "i.e", "incl", "no", "resp", "sq", "vs", "st")
_END = re.compile(r"(?<=[.!?])[\"')\]]*\s+(?=[\"'(]?[A-Z0-9\[])")


def split_sentences(text: str) -> list[str]:
    """Return the sentences of a text; joined by single spaces they give it again.

    The text must hold no space but single ones, as `normal_space` makes it.
    """
    sentences: list[str] = []
    start = 0
    for end in _END.finditer(text):
        if _is_abbreviated(text[start : end.start()]):
            continue
        sentences.append(text[start : end.end()].rstrip())
        start = end.end()
    return [*sentences, text[start:]] if text[start:] else sentences


def normal_space(text: str) -> str:
    """Return the text with every run of white space as one space, none at its ends."""
    return " ".join(text.split())


def _is_abbreviated(sentence: str) -> bool:
    last = sentence.rsplit(" ", 1)[-1].rstrip("\"')]").lstrip("\"'(").lower()
    return last.endswith(".") and last[:-1] in _ABBREVIATIONS
