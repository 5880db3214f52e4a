"""Controls: what a model answers when it sees nothing, another scene, or options in another order.

A model that is right as often without the picture has not looked; one that is right less often
when the options are turned chooses letters, not answers.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from hashlib import sha256
from io import BytesIO
from itertools import cycle, islice
from string import ascii_uppercase
from typing import Literal

from PIL import Image

from tasks.asked_pictures import AskedPicture
from tasks.errors import UserError
from tasks.scoring.bench import Bench, Pictures
from tasks.scoring.item import BenchItem
from tasks.scoring.judged import read_answer
from tasks.scoring.prediction import Prediction

Control = Literal["none", "blind", "shuffled", "rotated"]
AT_ONCE = 64  # items whose pictures are held
GREY = (127, 127, 127)


@dataclass(frozen=True, slots=True, kw_only=True)
class AskedItem:
    """An item as it is asked: its pictures, and its options, turned by `turned` places."""

    item: BenchItem
    pictures: Pictures
    options: tuple[str, ...]
    turned: int = 0


def asked_items(bench: Bench, items: Sequence[BenchItem], control: Control) -> Iterator[AskedItem]:
    """Yield items as they are asked under a control; UserError where it cannot be had."""
    donors = _donors(bench) if control == "shuffled" else {}
    for first in range(0, len(items), AT_ONCE):
        chunk = items[first : first + AT_ONCE]
        own = bench.pictures([item.item_id for item in chunk])
        lent = bench.pictures([donors[item.item_id] for item in chunk]) if donors else {}
        for item in chunk:
            pictures = own[item.item_id]
            if control == "blind":
                pictures = tuple(_blank(picture) for picture in pictures)
            elif control == "shuffled":
                pictures = _exchanged(pictures, lent[donors[item.item_id]])
            yield _asked(item, pictures, control)


def turned_back(asked: AskedItem, prediction: Prediction) -> Prediction:
    """Return a prediction whose answer is of the item's own options, whatever was turned."""
    if not asked.turned or prediction.error:
        return prediction
    there = replace(asked.item, options=asked.options, letter="A")
    said, _, _ = read_answer(there, prediction)
    size = len(asked.options)
    back = ascii_uppercase[(ascii_uppercase.index(said) + asked.turned) % size] if said else ""
    return prediction.model_copy(update={"answer": back})


def _asked(item: BenchItem, pictures: Pictures, control: Control) -> AskedItem:
    turned = 0
    if control == "rotated" and len(item.options) > 1:
        turned = 1 + int(sha256(item.item_id.encode()).hexdigest(), 16) % (len(item.options) - 1)
    options = item.options[turned:] + item.options[:turned]
    return AskedItem(item=item, pictures=pictures, options=options, turned=turned)


def _donors(bench: Bench) -> dict[str, str]:
    """Return for each item one of the next scene of its source with as many pictures."""
    alike: dict[tuple[int, str], list[BenchItem]] = {}
    for item in bench.items:
        alike.setdefault((len(item.seen_on), item.source), []).append(item)
    donors = {}
    for items in alike.values():
        for at, item in enumerate(items):
            turn = islice(cycle(items), at + 1, at + len(items))
            donor = next((other for other in turn if other.scene_id != item.scene_id), None)
            if donor is None:
                raise UserError(
                    f"the control shuffled needs another scene like that of {item.item_id!r}; "
                    "the bench has none"
                )
            donors[item.item_id] = donor.item_id
    return donors


def _blank(picture: AskedPicture) -> AskedPicture:
    with Image.open(BytesIO(picture.encoded)) as image:
        return replace(picture, encoded=_png(Image.new("RGB", image.size, GREY)))


def _exchanged(own: Pictures, lent: Pictures) -> Pictures:
    """Return other pictures in the sizes of an item's own, so that masks are of its size."""
    return tuple(
        replace(picture, encoded=_resized(other.encoded, picture.encoded))
        for picture, other in zip(own, lent, strict=True)
    )


def _resized(encoded: bytes, like: bytes) -> bytes:
    with Image.open(BytesIO(like)) as image:
        size = image.size
    with Image.open(BytesIO(encoded)) as other:
        if other.size == size:
            return encoded
        return _png(other.convert("RGB").resize(size, Image.Resampling.BILINEAR))


def _png(image: Image.Image) -> bytes:
    file = BytesIO()
    image.save(file, "PNG", compress_level=1)
    return file.getvalue()
