"""How masks are asked for by the names of classes, and how a model says what it marks."""

from collections.abc import Sequence

from schemas.trace import SEG

AT_ONCE = 8  # names at most in one question; masks of one image that differ by name alone


def segment_question(phrases: Sequence[str]) -> str:
    """Return how some classes are asked for."""
    return f"Please segment the {listed(phrases)}."


def segment_trace(phrases: Sequence[str]) -> str:
    """Return what is written of some classes that are asked for."""
    return " ".join(f"I mark {phrase} {SEG}." for phrase in phrases)


def listed(phrases: Sequence[str]) -> str:
    """Return phrases in the words of a sentence, as in water, trees and crops."""
    if len(phrases) == 1:
        return phrases[0]
    return ", ".join(phrases[:-1]) + f" and {phrases[-1]}"
