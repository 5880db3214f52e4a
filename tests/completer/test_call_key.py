"""What makes two calls the same, and what makes them two."""

from dataclasses import replace

import pytest

from tasks.completer import Sampling, Turn
from tasks.completers.call_key import call_key

IDENTITY = {"kind": "openai", "model": "tiny", "digest": "d"}
GOLDEN = "df4abe7536a2b974649b393a126cd7d3b82942d6abc29c871102da23238cdf3b"


def test_a_key_is_the_same_in_every_version_of_the_program(make_call):
    """Another key would make every stored call unknown: then `VERSION` goes up and this changes."""
    image = Turn(role="user", text="What is it?", images=(b"png",))
    call = make_call(turns=(image,), json_schema={"type": "object"})
    assert call_key(call, IDENTITY) == GOLDEN


@pytest.mark.parametrize(
    "changed",
    [
        {"turns": (Turn(role="user", text="Say what is in scene 0?"),)},
        {"turns": (Turn(role="system", text="Say what is in scene 0."),)},
        {"turns": (Turn(role="user", text="Say what is in scene 0.", images=(b"a",)),)},
        {"prompt": "cap_cot@2"},
        {"sampling": Sampling(seed=1)},
        {"sampling": Sampling(temperature=0.3)},
        {"sampling": Sampling(top_p=0.5)},
        {"sampling": Sampling(max_tokens=5)},
        {"json_schema": {"type": "object"}},
    ],
)
def test_whatever_decides_the_reply_makes_another_call(make_call, changed):
    assert call_key(make_call(), IDENTITY) != call_key(make_call(**changed), IDENTITY)


def test_source_and_fields_make_no_other_call(make_call):
    call = make_call()
    same = replace(call, source="bigearthnet", fields={"area_ha": 3})
    assert call_key(call, IDENTITY) == call_key(same, IDENTITY)


def test_another_writer_makes_another_call(make_call):
    other = {**IDENTITY, "digest": "e"}
    assert call_key(make_call(), IDENTITY) != call_key(make_call(), other)


def test_the_order_of_images_counts(make_call):
    def two(*images):
        return make_call(turns=(Turn(role="user", text="Compare.", images=images),))

    assert call_key(two(b"a", b"b"), IDENTITY) != call_key(two(b"b", b"a"), IDENTITY)


def test_the_order_of_properties_counts_for_they_are_written_in_it(make_call):
    one = make_call(json_schema={"properties": {"a": {}, "b": {}}})
    other = make_call(json_schema={"properties": {"b": {}, "a": {}}})
    assert call_key(one, IDENTITY) != call_key(other, IDENTITY)


def test_a_whole_number_is_the_same_temperature(make_call):
    one, other = (make_call(sampling=Sampling(temperature=t)) for t in (0, 0.0))
    assert call_key(one, IDENTITY) == call_key(other, IDENTITY)
