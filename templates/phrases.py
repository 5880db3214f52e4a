"""Small pieces of English around class names: verbs and pronouns that agree."""

from schemas.taxonomy import LandClass


def is_there_any(land: LandClass) -> str:
    """Return "is there any" or "are there any"."""
    return "are there any" if land.plural else "is there any"


def be(land: LandClass) -> str:
    """Return "is" or "are"."""
    return "are" if land.plural else "is"


def was(land: LandClass) -> str:
    """Return "was" or "were"."""
    return "were" if land.plural else "was"


def do(land: LandClass) -> str:
    """Return "does" or "do"."""
    return "do" if land.plural else "does"


def it(land: LandClass) -> str:
    """Return "it" or "they"."""
    return "they" if land.plural else "it"


def cover(land: LandClass) -> str:
    """Return "covers" or "cover"."""
    return "cover" if land.plural else "covers"


def capital(text: str) -> str:
    """Return the text with a capital first letter."""
    return text[:1].upper() + text[1:]
