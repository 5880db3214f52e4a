"""What of a captioner decides its captions, and what does not."""

import pytest

from tasks.captions.settings import CaptionerSettings


def content(**server: object) -> dict:
    return CaptionerSettings(kind="vllm", server={"model": "/models/a", **server}).content()


@pytest.mark.parametrize(
    "changed",
    [
        {"dtype": "float16"},
        {"quantization": "fp8"},
        {"extra": {"default-chat-template-kwargs": {"enable_thinking": False}}},
        {"environment": {"VLLM_X": "1"}},
        {"served_name": "b"},
    ],
)
def test_what_changes_a_servers_replies_changes_the_content(changed) -> None:
    assert content(**changed) != content()


@pytest.mark.parametrize(
    "changed",
    [{"model": "/elsewhere/a"}, {"tensor_parallel": 2}, {"max_num_seqs": 8}, {"mm_cache_gb": 1.0}],
)
def test_where_a_model_lies_and_how_fast_it_is_does_not(changed) -> None:
    assert content(**changed) == content()


def test_a_url_with_a_password_is_refused_without_showing_it() -> None:
    with pytest.raises(ValueError, match="user, password or query") as refused:
        CaptionerSettings(kind="url", url="https://u:hunter2@host/v1", model="m")
    told = "; ".join(fault["msg"] for fault in refused.value.errors())
    assert "hunter2" not in told


def test_nothing_is_cut_from_a_reply_that_may_still_be_mended() -> None:
    model = CaptionerSettings(kind="url", url="http://127.0.0.1:9/v1", model="m", on_false="cut")
    assert model.first_on_false == "reject"
    assert model.model_copy(update={"repair": False}).first_on_false == "cut"
    assert CaptionerSettings(on_false="cut").first_on_false == "cut"
