"""The checker on sentences that others wrote and labelled by docs/claims.md alone.

A wrong "false" loses good data, a missed one lets a falsehood through: both are counted.
"""

from functools import cache

import pytest

from schemas.verdict import Verdict
from templates.claims import check_sentence
from tests.claims.corpus import CORPORA, Grounds, Labelled, grounds_of, labelled, scenes

LEAST_PRECISION, LEAST_RECALL = 0.98, 0.95  # of the verdict "false"


@cache
def grounds(corpus: str) -> dict[str, Grounds]:
    return {name: grounds_of(drawn) for name, drawn in scenes(corpus).items()}


def false_by(corpus: str) -> tuple[list[Labelled], list[Labelled]]:
    """Return the sentences that their author calls false, and those that the checker does."""
    rows = labelled(corpus)
    ground_of = grounds(corpus)
    found = [
        row
        for row in rows
        if check_sentence(row.sentence, ground_of[row.scene].captioned).verdict is Verdict.FALSE
    ]
    return [row for row in rows if row.verdict is Verdict.FALSE], found


@pytest.mark.parametrize("corpus", CORPORA)
def test_what_is_called_false_is_false(corpus: str) -> None:
    _, found = false_by(corpus)
    wrong = [row for row in found if row.verdict is not Verdict.FALSE]
    assert 1 - len(wrong) / len(found) >= LEAST_PRECISION, [row.sentence for row in wrong]


@pytest.mark.parametrize("corpus", CORPORA)
def test_what_is_false_is_called_so(corpus: str) -> None:
    due, found = false_by(corpus)
    missed = [row for row in due if row not in found]
    assert 1 - len(missed) / len(due) >= LEAST_RECALL, [row.sentence for row in missed]


@pytest.mark.parametrize("corpus", CORPORA)
def test_what_is_called_proved_is_proved(corpus: str) -> None:
    ground_of = grounds(corpus)
    wrong = [
        row.sentence
        for row in labelled(corpus)
        if row.verdict is not Verdict.PROVED
        and check_sentence(row.sentence, ground_of[row.scene].captioned).verdict is Verdict.PROVED
    ]
    assert wrong == []


@pytest.mark.parametrize("corpus", CORPORA)
def test_the_plain_reference_gives_the_same_claims(corpus: str) -> None:
    ground_of = grounds(corpus)
    for row in labelled(corpus):
        ground = ground_of[row.scene]
        ours = check_sentence(row.sentence, ground.captioned)
        assert ours == check_sentence(row.sentence, ground.reference), row.sentence
