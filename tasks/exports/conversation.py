"""A sample as two turns of talk, in the layout of LLaVA."""

from schemas.trace import SEG
from tasks.rows import Row

IMAGE_MARK = "<image>"


def question_text(row: Row) -> str:
    """Return the question, and its options lettered, one a line."""
    return "\n".join([row.question, *options_of(row)])


def options_of(row: Row) -> list[str]:
    """Return "A. …", "B. …"."""
    return [f"{letter_of(place)}. {option}" for place, option in enumerate(row.options)]


def letter_of(place: int) -> str:
    """Return the letter of an option, "A" of the first."""
    return chr(ord("A") + place)


def unmarked(trace: str) -> str:
    """Return a trace without the marks of masks."""
    return trace.replace(f" {SEG}", "").replace(SEG, "")


def conversation(row: Row, reply: str) -> list[dict[str, str]]:
    """Return question and reply; one `<image>` an image stands before the question."""
    marks = f"{IMAGE_MARK}\n" * len(row.images)
    return [
        {"from": "human", "value": marks + question_text(row)},
        {"from": "gpt", "value": reply},
    ]
