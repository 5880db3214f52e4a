"""Other words for a bench question over HTTP: asked for, checked, told once, kept or not."""

import json
from typing import Any

import pytest

from tasks.bench_making.rephrase import Outcome, rephrase
from tasks.bench_making.rephrase_call import read_reworded
from tasks.composition.settings import ComposerSettings
from tests.captions.prompted import text_of

ASKED = "Which covers more of the image: water or cropland?"
SAME = "In the image, which occupies the larger area, water or cropland?"
TURNED = "Which covers less of the image: water or cropland?"
ROW: dict[str, Any] = {
    "sample_id": "00000a0123456789abcdef01",
    "task": "comparative_ranking",
    "question": ASKED,
    "options": ["cropland", "water"],
    "names": ["water", "cropland"],
    "known": ["water", "cropland", "tree cover"],
}
SETTINGS = ComposerSettings(kind="url", url="http://127.0.0.1:9/v1", model="tiny")


def said(question: str) -> str:
    return json.dumps({"question": question})


@pytest.fixture
def reworded(serve, run):
    """Ask a server that replies with some texts in turn; return what came of it, and the server."""

    def ask(
        *replies: str,
        repair: bool = True,
        row: dict[str, Any] = ROW,
        retries: int = 4,
        **behaviour: Any,
    ):
        server = serve(lambda body: replies[len(body["messages"]) // 2], **behaviour)
        asking = SETTINGS.model_copy(update={"repair": repair})
        outcome = run(
            server, lambda completer: rephrase(row, "xbd", completer, asking, 0), retries=retries
        )
        assert isinstance(outcome, Outcome)
        return outcome, server

    return ask


def test_other_words_that_ask_the_same_are_kept_with_who_wrote_and_what_was_asked(reworded) -> None:
    outcome, server = reworded(said(SAME))
    assert (outcome.question, outcome.why) == (SAME, "")
    kept = read_reworded(outcome.writer)
    assert kept is not None
    assert (kept.asked, kept.is_of_today) == (ASKED, True)
    told = json.loads(outcome.writer)
    assert (told["model"], told["prompt"], told["turn"]) == ("tiny", "rephrase@1", "rephrase@1")
    assert server.base_url not in outcome.writer
    assert outcome.tallies == {"replies": 1, "prompt tokens": 10, "completion tokens": 12}


def test_the_model_sees_the_question_and_neither_options_nor_answer_nor_image(reworded) -> None:
    _, server = reworded(said(SAME), row={**ROW, "options": ["SECRET", "HIDDEN"]})
    (body,) = server.bodies
    assert ASKED in text_of(body)
    assert not any(word in json.dumps(body) for word in ("SECRET", "HIDDEN", "image_url"))
    assert body["response_format"]["json_schema"]["schema"]["required"] == ["question"]
    assert body["seed"] == 0xA0


@pytest.mark.parametrize(
    ("reply", "why"),
    [
        (said("Which covers more of the image, to within 2 %: water or cropland?"), "new_number"),
        (said("Which covers more of the image?"), "other_classes"),
        (said("Which covers more of the image: water, cropland or tree cover?"), "other_classes"),
        (said(TURNED), "turned_word"),
        (said("Which covers more of water: the image or cropland?"), "off_question"),
        (said("Which covers more of image 2: water or cropland?"), "other_images"),
        (said("Water or cropland. Which covers more of the image?"), "no_question"),
        (said(ASKED), "unchanged"),
        ("Which is larger in the image, water or cropland?", "bad_reply"),
        ('{"question": "Which is larger in the', "bad_reply"),
        ('{"question": "Which?", "answer": "water"}', "bad_reply"),
        ('{"question": ["Which is larger?"]}', "bad_reply"),
    ],
)
def test_a_wording_that_asks_otherwise_leaves_the_templates_and_says_why(
    reworded, reply, why
) -> None:
    outcome, server = reworded(reply, reply)
    assert (outcome.question, outcome.writer, outcome.why) == ("", "", why)
    assert outcome.tallies["repair turns"] == 1
    assert server.num_requests == outcome.tallies["replies"] == 2


def test_an_answer_that_is_told_is_found(reworded) -> None:
    row = {
        **ROW,
        "task": "absolute_area",
        "question": "What is the area of water in the image?",
        "options": ["12 ha", "30 ha"],
        "names": ["water"],
    }
    leaked = said("What is the area of water in the image, 12 ha?")
    assert reworded(leaked, leaked, row=row)[0].why == "gives_away"


def test_what_was_wrong_is_told_once_and_mended(reworded) -> None:
    outcome, server = reworded(said(TURNED), said(SAME))
    assert (outcome.question, outcome.why) == (SAME, "")
    assert json.loads(outcome.writer)["turn"] == "rephrase_repair@1"
    assert "'less' is not what is asked" in text_of(server.bodies[1], turn=1)
    another = {**ROW, "sample_id": "b"}  # no reply is stored for
    once, server = reworded(said(TURNED), said(SAME), repair=False, row=another)
    assert (once.why, server.num_requests) == ("turned_word", 1)


def test_a_call_without_a_reply_is_noted_to_be_made_again_and_a_refused_one_is_not(
    reworded,
) -> None:
    outcome, _ = reworded(said(SAME), script=["503"], retries=0)
    assert (outcome.why, outcome.tallies["calls without a reply"]) == ("call_failed", 1)
    outcome, _ = reworded(said(SAME), script=["400"])
    assert (outcome.why, outcome.tallies["calls without a reply"]) == ("call_failed", 0)


def test_faults_of_the_server_are_tried_again(reworded) -> None:
    outcome, server = reworded(said(SAME), script=["503", "reset", "truncated"])
    assert outcome.question == SAME
    assert server.num_requests == 4
