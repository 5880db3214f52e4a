"""Which of several images a step is about: the one that it names, as in "Image 2: I mark …"."""

import re

_NAMED = re.compile(r"\bImage (\d+): ")  # as traces say it; "in image 2" only speaks of one


def named_image(written: str) -> int | None:
    """Return the number, from 0, of the image that a text named last; None if it named none."""
    numbers = _NAMED.findall(written)
    return int(numbers[-1]) - 1 if numbers else None
