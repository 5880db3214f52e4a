"""JSON of an archive, read field by field: what is missing or of another type is refused."""

from schemas.rejection import Reason, Refusal


def as_object(value: object, where: str) -> dict[str, object]:
    """Return a JSON object; Refusal WRONG_TYPE for anything else."""
    if not isinstance(value, dict):
        raise _wrong_type(value, "an object", where)
    return value


def as_list(value: object, where: str) -> list[object]:
    """Return a JSON list; Refusal WRONG_TYPE for anything else."""
    if not isinstance(value, list):
        raise _wrong_type(value, "a list", where)
    return value


def as_text(value: object, where: str) -> str:
    """Return a JSON string; Refusal WRONG_TYPE for anything else, also for half letters in it."""
    if not isinstance(value, str) or has_half_letters(value):
        raise _wrong_type(value, "a string of whole letters", where)
    return value


def as_count(value: object, where: str) -> int:
    """Return a JSON whole number above zero; Refusal WRONG_TYPE for anything else."""
    if not isinstance(value, int) or isinstance(value, bool) or value <= 0:
        raise _wrong_type(value, "a whole number above zero", where)
    return value


def due(mapping: dict[str, object], key: str, where: str) -> object:
    """Return the value of a key that must be there; Refusal MISSING_METADATA where it is not."""
    if key not in mapping:
        raise Refusal(Reason.MISSING_METADATA, f"{where}: no key {key!r}")
    return mapping[key]


def has_half_letters(text: str) -> bool:
    """Return whether UTF-8 cannot hold a text; JSON and file names can hold lone surrogates."""
    try:
        text.encode()
    except UnicodeEncodeError:
        return True
    return False


def _wrong_type(value: object, expected: str, where: str) -> Refusal:
    shown = repr(value)
    shown = shown if len(shown) <= 60 else shown[:57] + "..."
    return Refusal(
        Reason.WRONG_TYPE, f"{where}: {type(value).__name__} {shown}, expected {expected}"
    )
