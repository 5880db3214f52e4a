"""Random scenes, composed by a program that reads its prompt: what is right is kept, else none."""

from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass
from random import Random
from typing import Any

import pytest

from masks.reference import evaluate
from masks.reference_scene import ReferenceScene
from schemas.taxonomy import XBD_DAMAGE
from schemas.trace import value_text
from tasks.completer import Sampling
from tasks.composition.call import compose_call
from tasks.scene_table import evidence_of, scenes_to_table
from tasks.seen_scene import SeenScene, see
from templates.composed import Composed, compose
from templates.proposal import Proposal, read_proposals
from tests.captions.composed import SIGN, Mistaken, turned, well_composed, wrong
from tests.templates.test_composition import drawn_land

NUM_DRAWN = 50  # scenes of each sort


@dataclass(frozen=True)
class Asked:
    """A scene, its prompt as a server gets it, and what the reference sees of it."""

    seen: SeenScene
    body: dict[str, Any]
    reference: ReferenceScene


@pytest.fixture(scope="module")
def asked_of(make) -> list[Asked]:
    scenes = []
    for number in range(NUM_DRAWN):
        rng = Random(1000 + number)
        scenes.append(drawn_land(make, rng, f"land{number}", num_dates=1))
        scenes.append(drawn_land(make, rng, f"years{number}", num_dates=2))
        levels = [rng.choice(XBD_DAMAGE.names) for _ in range(rng.randint(1, 9))]
        places = [(20 * (i // 3), 20 * (i % 3)) for i in rng.sample(range(9), len(levels))]
        scenes.append(make.town(f"town{number}", levels, places, side=rng.randint(6, 16)))
    found = []
    for row in scenes_to_table(scenes).to_pylist():
        seen = see(row, "vv_vh", row["scene_id"])
        if isinstance(seen, SeenScene):
            call = compose_call(seen, "", [], Sampling())
            turns = [{"role": turn.role, "content": turn.text} for turn in call.turns]
            found.append(Asked(seen, {"messages": turns}, ReferenceScene(evidence_of(row))))
    return found


def outcomes(
    scenes: list[Asked], answer: Callable[[dict[str, Any]], str]
) -> list[tuple[Asked, Proposal, Composed | str]]:
    """Return every proposed question and what is made of it; its first fault where it is none."""
    found: list[tuple[Asked, Proposal, Composed | str]] = []
    for asked in scenes:
        proposals = read_proposals(answer(asked.body), "stop")
        assert isinstance(proposals, list), proposals
        for proposal in proposals:
            assert isinstance(proposal, Proposal), proposal
            made = compose(proposal, asked.seen.ground)
            kept = made if isinstance(made, Composed) else made[0].reason.value
            found.append((asked, proposal, kept))
    return found


def test_nearly_all_that_is_right_is_kept_with_the_value_that_the_reference_finds(asked_of) -> None:
    found = outcomes(asked_of, well_composed)
    kept = [(asked, proposal, made) for asked, proposal, made in found if not isinstance(made, str)]
    assert len(kept) > 0.95 * len(found) > 200, Counter(f for *_, f in found if isinstance(f, str))
    for asked, proposal, made in kept:
        assert evaluate(made.program, asked.reference) == made.value
        assert value_text(made.value, asked.seen.ground.north_up) == proposal.answer


@pytest.mark.parametrize("mistake", [wrong, turned])
@pytest.mark.parametrize("seed", range(3))
def test_of_what_is_wrong_nothing_is_kept_and_all_the_rest_is(asked_of, mistake, seed) -> None:
    composer = Mistaken(1.0, mistake, seed)
    found = outcomes(asked_of, composer)
    signed = [
        (proposal.question, made)
        for _, proposal, made in found
        if any(SIGN in step.text for step in proposal.steps)
    ]
    assert len(signed) > 100
    assert [question for question, made in signed if isinstance(made, Composed)] == []
    assert sum(isinstance(made, Composed) for *_, made in found) > 0.95 * (len(found) - len(signed))
