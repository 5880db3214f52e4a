from collections import defaultdict
from itertools import product

import pytest
from hypothesis import given
from hypothesis import settings as examples
from hypothesis import strategies as st
from pydantic import ValidationError

from tasks.mixture import DIMENSIONS, MixtureSettings, Traits, mixture_rates, unmet

Counts = dict[Traits, float]


def kind(
    tier: str = "l1",
    task: str = "area",
    source: str = "bigearthnet",
    class_: str = "water",
    answer: str = "",
    region: str = "europe",
    template: str = "area",
) -> Traits:
    return Traits(tier, task, source, class_, answer, region, template)


def mixture(**wishes: object) -> MixtureSettings:
    return MixtureSettings.model_validate(wishes)


def kept_by(dimension: str, counts: Counts, rates: dict[Traits, float]) -> dict[str, float]:
    totals: dict[str, float] = defaultdict(float)
    for one, count in counts.items():
        totals[getattr(one, dimension)] += count * rates[one]
    return {value: pytest.approx(total, abs=0.01) for value, total in totals.items()}


ANSWERS: Counts = {kind(answer="Yes"): 90, kind(answer="No"): 10, kind(answer="Unsure"): 50}


def test_without_wishes_everything_stays() -> None:
    assert set(mixture_rates(ANSWERS, MixtureSettings()).values()) == {1.0}


def test_no_samples_have_no_rates() -> None:
    assert mixture_rates({}, mixture(tier={"l1": 1}, caps={"area": 3})) == {}


def test_the_frequent_answer_is_thinned_and_what_is_not_named_left() -> None:
    rates = mixture_rates(ANSWERS, mixture(answer={"Yes": 1, "No": 1}))
    assert kept_by("answer", ANSWERS, rates) == {"Yes": 10, "No": 10, "Unsure": 50}


def test_the_star_names_all_others_together() -> None:
    wishes = mixture(answer={"Yes": 2, "*": 1})
    rates = mixture_rates(ANSWERS, wishes)
    assert kept_by("answer", ANSWERS, rates) == {"Yes": 90, "No": 7.5, "Unsure": 37.5}
    assert unmet(ANSWERS, rates, wishes) == []


def test_a_weight_of_zero_keeps_none_and_thins_nothing_else() -> None:
    rates = mixture_rates(ANSWERS, mixture(answer={"Yes": 0}))
    assert kept_by("answer", ANSWERS, rates) == {"Yes": 0, "No": 10, "Unsure": 50}


def test_a_class_is_named_as_yaml_names_it() -> None:
    counts: Counts = {kind(class_="water"): 10, kind(class_="forest"): 40}
    wishes = mixture(**{"class": {"water": 1, "forest": 2}})
    rates = mixture_rates(counts, wishes)
    assert kept_by("class_", counts, rates) == {"water": 10, "forest": 20}
    assert wishes.model_dump()["class"] == {"water": 1, "forest": 2}


def test_two_dimensions_are_met_together() -> None:
    """60, 40 / 20, 80 come to 1 : 1 both ways where both products of the diagonals are equal."""
    counts: Counts = {
        kind(tier=tier, region=region): count
        for (tier, region), count in zip(
            product(("l1", "l2"), ("europe", "asia")), (60, 40, 20, 80), strict=True
        )
    }
    wishes = mixture(tier={"l1": 1, "l2": 1}, region={"europe": 1, "asia": 1})
    rates = mixture_rates(counts, wishes)
    assert unmet(counts, rates, wishes) == []
    kept = [counts[one] * rates[one] for one in counts]
    assert kept[0] == pytest.approx(kept[3], rel=1e-3)
    assert kept[0] / kept[1] == pytest.approx((60 * 80 / (40 * 20)) ** 0.5, rel=1e-3)
    assert max(rates.values()) == 1.0


def test_a_value_that_no_sample_has_is_told_and_the_others_share() -> None:
    wishes = mixture(answer={"Yes": 1, "No": 1, "Maybe": 2})
    rates = mixture_rates(ANSWERS, wishes)
    assert kept_by("answer", ANSWERS, rates) == {"Yes": 10, "No": 10, "Unsure": 50}
    assert unmet(ANSWERS, rates, wishes) == [
        "answer Maybe: 50.0% wanted, 0.0% reached (no sample has it)",
        "answer No: 25.0% wanted, 50.0% reached",
        "answer Yes: 25.0% wanted, 50.0% reached",
    ]


def test_wishes_that_contradict_each_other_are_told_and_cost_little() -> None:
    counts: Counts = {
        kind(tier="l1", task="area"): 100,
        kind(tier="l2", task="chain"): 100,
        kind(tier="cap", task="caption"): 100,
    }
    wishes = mixture(tier={"l1": 1, "l2": 1}, task={"area": 9, "chain": 1})
    rates = mixture_rates(counts, wishes)
    assert rates[kind(tier="cap", task="caption")] == 1.0
    assert max(rates[one] for one in counts if one.tier != "cap") == 1.0
    assert [line.split(":")[0] for line in unmet(counts, rates, wishes)] in (
        ["tier l1", "tier l2"],
        ["task area", "task chain"],
    )


def test_kinds_that_only_meet_in_what_is_missing_are_scaled_up_again() -> None:
    """Both wishes halve one kind's factor each, though no kind has both at once."""
    counts: Counts = {kind(tier="l1", task="area"): 300, kind(tier="l2", task="count"): 100}
    rates = mixture_rates(counts, mixture(tier={"l1": 1, "l2": 1}, task={"area": 1, "count": 1}))
    assert kept_by("tier", counts, rates) == {"l1": 100, "l2": 100}


def test_a_cap_alone_thins_its_template_only() -> None:
    counts: Counts = {kind(template="a"): 400, kind(template="b"): 400, kind(template="c"): 5}
    rates = mixture_rates(counts, mixture(caps={"a": 100, "b": 0, "c": 10}))
    assert kept_by("template", counts, rates) == {"a": 100, "b": 0, "c": 5}


def test_shares_are_met_with_what_a_cap_leaves() -> None:
    counts: Counts = {kind(tier="l1", template="a"): 1000, kind(tier="l2", template="b"): 500}
    wishes = mixture(tier={"l1": 1, "l2": 1}, caps={"a": 100})
    rates = mixture_rates(counts, wishes)
    assert kept_by("tier", counts, rates) == {"l1": 100, "l2": 100}


@pytest.mark.parametrize(
    ("wishes", "place"),
    [
        ({"colour": {"red": 1}}, ("colour",)),
        ({"tier": {"l1": -1}}, ("tier", "l1")),
        ({"class": {"water": float("inf")}}, ("class", "water")),
        ({"answer": {"No": float("nan")}}, ("answer", "No")),
        ({"caps": {"area": -1}}, ("caps", "area")),
    ],
)
def test_a_wrong_wish_is_refused_by_name(wishes: dict[str, object], place: tuple[str]) -> None:
    with pytest.raises(ValidationError) as caught:
        MixtureSettings.model_validate(wishes)
    assert caught.value.errors()[0]["loc"] == place


_KINDS = st.builds(
    Traits,
    *(st.sampled_from("abc") for _ in DIMENSIONS),
    template=st.sampled_from("tuv"),
)
_COUNTS = st.dictionaries(_KINDS, st.integers(1, 10_000).map(float), max_size=30)
_WEIGHTS = st.dictionaries(
    st.sampled_from("abd*"), st.one_of(st.just(0.0), st.floats(0.05, 20.0)), max_size=4
)
_CAPS = st.dictionaries(st.sampled_from("tuvw"), st.integers(0, 5_000), max_size=3)


@st.composite
def mixtures(draw: st.DrawFn, most_dimensions: int = len(DIMENSIONS)) -> MixtureSettings:
    named = draw(st.lists(st.sampled_from(DIMENSIONS), max_size=most_dimensions, unique=True))
    wishes = {dimension: draw(_WEIGHTS) for dimension in named}
    return MixtureSettings.model_validate({**wishes, "caps": draw(_CAPS)})


@examples(deadline=None)
@given(_COUNTS, mixtures(), st.randoms())
def test_rates_are_shares_caps_hold_and_order_changes_nothing(counts, settings, random) -> None:
    rates = mixture_rates(counts, settings)
    assert rates.keys() == counts.keys()
    assert all(0.0 <= rate <= 1.0 for rate in rates.values())
    for template, most in settings.caps.items():
        own = [counts[one] * rates[one] for one in counts if one.template == template]
        assert sum(own) <= most + 1e-6
    for one, rate in rates.items():
        named = any(
            {getattr(one, name), "*"} & getattr(settings, name).keys() for name in DIMENSIONS
        )
        assert named or one.template in settings.caps or rate == 1.0
    shuffled = list(counts.items())
    random.shuffle(shuffled)
    assert mixture_rates(dict(shuffled), settings) == rates


@examples(deadline=None)
@given(_COUNTS, mixtures(most_dimensions=1))
def test_one_dimension_is_always_met_among_what_is_there(counts, settings) -> None:
    """What no sample has, or a cap of 0 leaves none of, is taken out of the wish."""
    rates = mixture_rates(counts, settings)
    there: dict[str, dict[str, float]] = {}
    for name in DIMENSIONS:
        weights = getattr(settings, name)
        values = {
            value if (value := getattr(one, name)) in weights else "*"
            for one in counts
            if settings.caps.get(one.template, 1) > 0
        }
        there[name] = {value: weight for value, weight in weights.items() if value in values}
    assert unmet(counts, rates, settings.model_copy(update=there)) == []


@examples(deadline=None)
@given(_COUNTS, st.data())
def test_wishes_that_can_be_met_are_met(counts, data) -> None:
    """The wishes are the shares that some thinning by tier, by task and by region leaves."""
    kept = {
        value_of: {value: data.draw(st.floats(0.1, 1.0)) for value in "abc"}
        for value_of in ("tier", "task", "region")
    }
    wishes: dict[str, dict[str, float]] = {name: defaultdict(float) for name in kept}
    for one, count in counts.items():
        rate = 1.0
        for name in kept:
            rate *= kept[name][getattr(one, name)]
        for name in kept:
            wishes[name][getattr(one, name)] += count * rate
    settings = mixture(**{name: dict(weights) for name, weights in wishes.items()})
    assert unmet(counts, mixture_rates(counts, settings), settings) == []


@examples(deadline=None)
@given(_COUNTS, _WEIGHTS)
def test_with_one_dimension_something_named_stays_whole(counts, weights) -> None:
    rates = mixture_rates(counts, MixtureSettings(task=weights))
    named = [r for one, r in rates.items() if weights.get(one.task, weights.get("*", 0.0)) > 0]
    assert not named or max(named) == 1.0
