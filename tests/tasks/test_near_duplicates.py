import hashlib
import io

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray
from PIL import Image

from tasks.fingerprints import Fingerprint, image_hash, text_signature
from tasks.near_duplicates import MAX_COMPARED, near_duplicates
from tasks.near_images import near_looks

WORDS = (
    "the river runs along a wide forest and bends south of two small lakes near the town".split()
)
CAPTION = " ".join(f"{word} {number}" for number, word in enumerate(WORDS * 3))  # 102 words
FOREST, WATER, SNOW = (f"Is there {what} in the image?" for what in ("forest", "water", "snow"))


def item(
    sample_id: str,
    text: str,
    scene_id: str = "scene",
    images: tuple[int, ...] = (),
    rank: int = 0,
) -> Fingerprint:
    return Fingerprint(
        sample_id=sample_id,
        scene_id=scene_id,
        rank=rank,
        image_hashes=images,
        signature=text_signature(text),
    )


def agreeing(text: str, other: str) -> int:
    return int(np.count_nonzero(text_signature(text) == text_signature(other)))


def test_case_punctuation_and_marks_change_no_signature() -> None:
    text = "<think>I mark the forest [SEG]. It covers 71 ha.</think><answer>71 ha</answer>"
    assert agreeing(text, "I mark the FOREST, it covers 71 ha: 71 ha") == 64


def test_another_number_is_another_word() -> None:
    assert agreeing("It covers 1,200 m", "It covers 1,300 m") < 55
    assert agreeing("It covers 0.5 ha", "It covers 0 5 ha") < 55


def test_a_signature_is_the_same_on_every_machine() -> None:
    stored = text_signature("How many lakes are there?").astype("<u4").tobytes()
    assert hashlib.sha256(stored).hexdigest()[:16] == "32257788bf4c416a"


def test_texts_under_three_words_are_alike_only_if_equal() -> None:
    assert agreeing("Two lakes.", "two lakes") == 64
    for other in ("two", "lakes two", "two lakes here", ""):
        assert agreeing("two lakes", other) == 0


def test_a_long_text_with_one_changed_word_is_a_near_duplicate() -> None:
    changed = CAPTION.replace("river 1 ", "stream 1 ")
    assert changed != CAPTION
    assert near_duplicates([item("a", CAPTION), item("b", changed)]) == {"b": "a"}


def test_a_short_question_about_another_class_is_none() -> None:
    assert near_duplicates([item("a", FOREST), item("b", WATER)]) == {}


def test_the_same_question_on_another_scene_is_none() -> None:
    items = [item("a", FOREST, "one", (0,)), item("b", FOREST, "two", (0b1111,))]
    assert near_duplicates(items) == {}


def test_images_at_three_bits_show_the_same_place() -> None:
    items = [item("a", FOREST, "one", (0,)), item("b", FOREST, "two", (7 << 61,))]
    assert near_duplicates(items) == {"b": "a"}


def test_every_image_must_pair_in_order() -> None:
    optical, radar = 0, 2**64 - 1
    first = item("a", FOREST, "one", (optical, radar))
    assert near_duplicates([first, item("b", FOREST, "two", (optical, radar - 1))]) == {"b": "a"}
    assert near_duplicates([first, item("b", FOREST, "two", (radar, optical))]) == {}
    assert near_duplicates([first, item("b", FOREST, "two", (optical,))]) == {}


def test_samples_without_images_are_compared_within_their_scene_only() -> None:
    items = [item("a", FOREST, "one"), item("b", FOREST, "two"), item("c", FOREST, "two")]
    assert near_duplicates(items) == {"c": "b"}


def test_the_lower_rank_stays_though_its_id_is_larger() -> None:
    assert near_duplicates([item("a", FOREST, rank=1), item("b", FOREST)]) == {"a": "b"}


def test_what_is_like_only_a_removed_one_stays() -> None:
    images = (0b0, 0b111, 0b111111)  # the first and the last are six bits apart
    items = [item(f"{n}", FOREST, f"scene-{n}", (image,)) for n, image in enumerate(images)]
    assert near_duplicates(items) == {"1": "0"}


def test_an_id_that_comes_twice_is_refused() -> None:
    with pytest.raises(ValueError, match="not unique"):
        near_duplicates([item("a", FOREST), item("a", WATER)])


def test_many_black_images_are_told_apart_by_their_texts() -> None:
    texts = [f"Which of {n} lakes lies in the north of image {n}?" for n in range(3 * MAX_COMPARED)]
    once = [item(f"{n:04}", text, f"scene-{n}", (0,)) for n, text in enumerate(texts)]
    again = [item(f"z{n:04}", text, f"other-{n}", (0,)) for n, text in enumerate(texts)]
    assert near_duplicates(again + once) == {f"z{n:04}": f"{n:04}" for n in range(len(texts))}


def test_ten_thousand_looks_that_share_a_black_image_are_not_compared_with_each_other() -> None:
    radar = np.random.default_rng(1).integers(0, 2**63, 10_000).tolist()
    near = near_looks([(0, hash_) for hash_ in radar])
    assert all(near[0, hash_] == [(0, hash_)] for hash_ in radar)


# --- images


def encoded(pixels: NDArray[np.uint8], form: str = "PNG", quality: int = 95) -> bytes:
    buffer = io.BytesIO()
    Image.fromarray(pixels).save(buffer, form, quality=quality)
    return buffer.getvalue()


def distance(one: NDArray[np.uint8], other: bytes) -> int:
    return (image_hash(encoded(one)) ^ image_hash(other)).bit_count()


@pytest.fixture
def land() -> NDArray[np.uint8]:
    """Fields of differing brightness, 16 by 16, in a picture of 256 by 256."""
    fields = np.random.default_rng(7).integers(20, 200, (16, 16, 3), np.uint8)
    return fields.repeat(16, axis=0).repeat(16, axis=1)


def test_a_picture_stored_again_as_jpeg_is_the_same(land: NDArray[np.uint8]) -> None:
    assert distance(land, encoded(land, "JPEG", 60)) <= 3


def test_a_slightly_brightened_picture_is_the_same(land: NDArray[np.uint8]) -> None:
    assert distance(land, encoded(land + np.uint8(20))) <= 3


def test_a_picture_shifted_by_half_is_another(land: NDArray[np.uint8]) -> None:
    assert distance(land, encoded(np.roll(land, 128, axis=1))) > 3


def test_pictures_of_one_colour_are_the_same() -> None:
    black = np.zeros((64, 64, 3), np.uint8)
    assert all(distance(black, encoded(black + np.uint8(grey))) <= 3 for grey in range(256))


# --- against all pairs

_BITS = st.sets(st.sampled_from([1 << bit for bit in range(0, 64, 9)]), max_size=5).map(sum)
_TEXTS = [CAPTION, *(CAPTION.replace(f" {n}", " 99") for n in (1, 5, 7, 30)), FOREST, WATER, "two"]
_SIGNED = [item("", text) for text in _TEXTS]


@st.composite
def fingerprints(draw: st.DrawFn) -> Fingerprint:
    return Fingerprint(
        sample_id=draw(st.uuids()).hex,
        scene_id=draw(st.sampled_from("abc")),
        rank=draw(st.integers(0, 1)),
        image_hashes=tuple(draw(st.lists(_BITS, max_size=2))),
        signature=draw(st.sampled_from(_SIGNED)).signature,
    )


def are_near(one: Fingerprint, other: Fingerprint) -> bool:
    if np.count_nonzero(one.signature == other.signature) / 64 < 0.85:
        return False
    hashes = one.image_hashes, other.image_hashes
    same_looks = len(hashes[0]) == len(hashes[1]) > 0 and all(
        bin(a ^ b).count("1") <= 3 for a, b in zip(*hashes, strict=True)
    )
    return one.scene_id == other.scene_id or same_looks


@settings(deadline=None)
@given(st.lists(fingerprints(), max_size=30, unique_by=lambda one: one.sample_id), st.randoms())
def test_what_stays_is_that_of_all_pairs_in_any_order(items, random) -> None:
    removed = near_duplicates(items)
    kept: list[Fingerprint] = []
    for one in sorted(items, key=lambda one: (one.rank, one.sample_id)):
        like = [other.sample_id for other in kept if are_near(one, other)]
        assert removed.get(one.sample_id) == (like[0] if like else None)
        if not like:
            kept.append(one)
    assert not removed.keys() & {one.sample_id for one in kept}
    assert set(removed.values()) <= {one.sample_id for one in kept}
    random.shuffle(items)
    assert near_duplicates(items) == removed


@settings(max_examples=20, deadline=None)
@given(st.integers(0, 2**32))
def test_no_near_duplicate_is_missed_in_a_large_group(seed: int) -> None:
    """Signatures at nine differing places are near, at ten not, wherever these places lie."""
    rng = np.random.default_rng(seed)
    base = [item(f"{n:03}", f"text number {n} of a large group") for n in range(MAX_COMPARED + 9)]
    for differing, expected in ((9, "000"), (10, None)):
        signature = base[0].signature.copy()
        signature[rng.choice(64, differing, replace=False)] ^= np.uint32(1)
        changed = Fingerprint(
            sample_id="z", scene_id="scene", rank=0, image_hashes=(), signature=signature
        )
        assert near_duplicates([*base, changed]).get("z") == expected


@settings(deadline=None)
@given(st.lists(st.tuples(st.integers(0, 2**64 - 1), st.sets(st.integers(0, 63), max_size=5))))
def test_near_hashes_are_those_of_all_pairs(bases) -> None:
    changed = [hash_ ^ sum(1 << bit for bit in bits) for hash_, bits in bases]
    looks = {(hash_,) for hash_ in [*changed, *(hash_ for hash_, _ in bases)]}
    expected = {one: {o for o in looks if (one[0] ^ o[0]).bit_count() <= 3} for one in looks}
    found = near_looks(looks)
    assert {one: set(others) for one, others in found.items()} == expected
    assert all(len(others) == len(set(others)) for others in found.values())
