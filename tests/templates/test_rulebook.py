"""The rule book hangs together: sources, bases, words, and a page that shows all of it."""

from dataclasses import replace
from pathlib import Path
from string import Formatter

import pytest

from schemas.trace import MARKS
from tasks.rulebook_page import rulebook_page
from templates.rule import Condition, RuleError
from templates.rulebook import BY_NAME, DAMAGE, FARMING, RULES, URBAN_RURAL

PAGE = Path(__file__).resolve().parents[2] / "docs" / "rulebook.md"
PLACES = {"place": "the image", "before": "image 1", "after": "image 2"}

every_rule = pytest.mark.parametrize("rule", RULES, ids=lambda rule: rule.id)


def slots(text):
    return {name for _, name, _, _ in Formatter().parse(text) if name is not None}


def bounds(rule):
    return [*rule.applies, *(c for level in rule.levels for c in level.conditions)]


def without_basis(condition):
    return replace(condition, basis=" ")


def test_ids_are_unique_and_names_find_their_rules() -> None:
    assert len({rule.id for rule in RULES}) == len(RULES) == 14
    assert all(BY_NAME[f"{rule.id}@{rule.version}"] is rule for rule in RULES)


@pytest.mark.parametrize("field", ["text", "url"])
def test_a_rule_without_a_source_is_refused(field) -> None:
    with pytest.raises(RuleError, match="urban_rural names no source"):
        replace(URBAN_RURAL, source=replace(URBAN_RURAL.source, **{field: " "}))


def test_a_bound_that_does_not_say_where_it_is_from_is_refused() -> None:
    level = URBAN_RURAL.levels[0]
    bare = replace(level, conditions=tuple(map(without_basis, level.conditions)))
    with pytest.raises(RuleError, match="urban_rural has a bound"):
        replace(URBAN_RURAL, levels=(bare, *URBAN_RURAL.levels[1:]))
    with pytest.raises(RuleError, match="urban_rural has a bound"):
        replace(URBAN_RURAL, applies=tuple(map(without_basis, URBAN_RURAL.applies)))


def test_a_premise_that_is_not_there_is_refused() -> None:
    stray = Condition(premise="slope", relation="<", bound=0.1, basis="nowhere")
    with pytest.raises(RuleError, match=r"farming has the premises .* but uses .*slope"):
        replace(FARMING, applies=(stray,))
    with pytest.raises(RuleError, match="farming has the premises"):
        replace(FARMING, premises=FARMING.premises[1:])


def test_two_premises_of_one_name_are_refused() -> None:
    with pytest.raises(RuleError, match="farming has the premises"):
        replace(FARMING, premises=(*FARMING.premises, FARMING.premises[0]))


@pytest.mark.parametrize("texts", [(), ("Yes.",), ("Yes.", "No.", "Perhaps.")])
def test_yes_and_no_need_two_texts(texts) -> None:
    with pytest.raises(RuleError, match="farming needs two verdicts"):
        replace(FARMING, verdict=texts)


@pytest.mark.parametrize("texts", [(), ("So it is {level}.", "So it is not.")])
def test_levels_need_one_text(texts) -> None:
    with pytest.raises(RuleError, match=r"damage_quantity needs .* else one"):
        replace(DAMAGE, verdict=texts)


@every_rule
def test_every_slot_of_a_rule_is_filled(rule) -> None:
    due = {"place"} if rule.about == "land" else {"before", "after"}
    assert len(set(rule.questions)) == len(rule.questions) >= 2
    assert all(slots(question) == due for question in rule.questions)
    assert all(slots(text) == (set() if rule.is_yes_no else {"level"}) for text in rule.verdict)
    for premise in rule.premises:
        assert [name for _, name, _, _ in Formatter().parse(premise.says) if name] == ["v"]
        assert premise.marked.startswith("the ")
        assert not slots(premise.marked)


@every_rule
def test_what_a_rule_says_is_made_of_whole_sentences(rule) -> None:
    told = [text for c in bounds(rule) for text in (c.met, c.unmet)]
    told += [level.because for level in rule.levels] + list(rule.verdict)
    assert all(text[0].isupper() and text.endswith(".") for text in told if text)
    assert all(question.endswith("?") for question in rule.questions)
    words = [*told, *rule.questions, *(premise.marked for premise in rule.premises)]
    assert not [text for text in words for mark in MARKS if mark in text]


@every_rule
def test_a_level_of_several_says_why(rule) -> None:
    if not rule.is_yes_no:
        assert all(level.because for level in rule.levels)


@every_rule
def test_every_premise_is_used_or_shown(rule) -> None:
    used = {condition.premise for condition in bounds(rule)}
    assert {premise.name for premise in rule.premises} == used


def test_no_two_rules_are_asked_in_the_same_words() -> None:
    wordings = [
        question.format(**PLACES).casefold() for rule in RULES for question in rule.questions
    ]
    assert len(set(wordings)) == len(wordings)


def test_the_page_is_what_the_rule_book_gives() -> None:
    assert PAGE.read_text(encoding="utf-8") == rulebook_page(), (
        "python -m tasks.rulebook_page > docs/rulebook.md"
    )


@every_rule
def test_the_page_tells_all_of_a_rule(rule) -> None:
    page = " ".join(rulebook_page().split())
    for text in (rule.title, f"`{rule.name}`", rule.source.text, rule.source.url, rule.caveat):
        assert " ".join(text.split()) in page
    assert all(f"`{premise.name}`" in page for premise in rule.premises)
    assert all(condition.basis.removeprefix("ours: ") in page for condition in bounds(rule))
