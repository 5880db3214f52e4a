"""A bench reviewed in a real browser: by keys alone, and with a finger on a telephone."""

from collections.abc import Iterator
from typing import Any

import pytest

from tasks.reviewing.items import items_of
from tasks.reviewing.kept import read_reviews, written_by
from tests.dataset.browsing import (
    DESKTOP,
    ENTER,
    ESCAPE,
    IN_A_BROWSER,
    PHONE,
    opened_browser,
    press,
    served,
    sized,
    until,
)
from view.desk import Desk
from view.looked_at import LookedAt
from view.review_app import application

pytestmark = IN_A_BROWSER
SAID = "return document.getElementById('said').textContent"


@pytest.fixture(scope="module")
def browser() -> Iterator[Any]:
    with opened_browser() as opened:
        yield opened


@pytest.fixture
def reviews(tmp_path):
    return tmp_path / "reviews"


@pytest.fixture
def address(bench, spill, reviews) -> Iterator[str]:
    looked_at = LookedAt(bench, spill)
    looked_at.index.fill()
    with written_by(reviews, "ann") as add:
        desk = Desk(items_of(bench), reviews, "ann", add)
        with served(application(desk, looked_at)) as found:
            yield found


@pytest.fixture
def said(reviews):
    """Return a function that returns what ann has said, by item."""
    return lambda: read_reviews(reviews).by_reviewer["ann"]


def moved_on(browser, item) -> dict:
    """Return what the page tells of the item after another."""

    def another():
        told = browser.execute_script("return typeof told === 'undefined' ? null : told")
        return told if told and told["item"] != item else None

    return until(another)


def test_a_bench_is_reviewed_by_keys_alone(browser, address, said) -> None:
    sized(browser, DESKTOP)
    browser.get(f"{address}/")
    first = moved_on(browser, "")
    press(browser, ENTER)  # nothing is said yet
    press(browser, "a", ENTER)
    second = moved_on(browser, first["item"])
    press(browser, "r")
    assert browser.execute_script(SAID) == "rejected: why?"
    press(browser, "3", "m", "1", ENTER)
    third = moved_on(browser, second["item"])
    other = next(letter for letter in third["letters"] if letter != third["right"])
    press(browser, "c", third["right"].lower())
    assert "accept it" in browser.execute_script(SAID)
    press(browser, other.lower(), ENTER)
    fourth = moved_on(browser, third["item"])
    found = said()
    assert [*found] == [first["item"], second["item"], third["item"]]
    assert [one.said for one in found.values()] == ["accept", "reject", f"correct {other}"]
    assert found[second["item"]].reason == "unclear question"
    assert found[second["item"]].wrong_masks == (0,)
    press(browser, "u")
    assert moved_on(browser, fourth["item"])["item"] == third["item"]
    press(browser, "u")
    assert moved_on(browser, third["item"])["item"] == second["item"]
    assert browser.execute_script(SAID) == "rejected: unclear question · wrong: mask 1"
    press(browser, "m", "1", "a", ENTER)
    assert moved_on(browser, second["item"])["item"] == fourth["item"]
    assert said()[second["item"]].said == "accept"
    assert said()[second["item"]].wrong_masks == ()


def test_escape_takes_a_question_back_and_a_question_mark_shows_the_keys(browser, address) -> None:
    sized(browser, DESKTOP)
    browser.get(f"{address}/")
    moved_on(browser, "")
    press(browser, "m")
    assert browser.execute_script("return document.getElementById('wrong').hidden") is False
    press(browser, ESCAPE)
    assert browser.execute_script("return document.getElementById('wrong').hidden") is True
    press(browser, "?")
    assert until(lambda: browser.execute_script("return document.getElementById('keys').open"))
    assert "back to what you judged" in browser.find_element("id", "keys").text


def test_a_verdict_that_cannot_be_sent_is_said_and_can_be_sent_again(browser, address, said):
    sized(browser, DESKTOP)
    browser.get(f"{address}/")
    told = moved_on(browser, "")
    browser.execute_script("window.kept = told.token; told.token = 'of another run'")
    press(browser, "a", ENTER)
    assert until(lambda: "Not sent" in browser.execute_script(SAID))
    assert said() == {}
    browser.execute_script("told.token = window.kept")
    press(browser, ENTER)
    moved_on(browser, told["item"])
    assert [*said()] == [told["item"]]


def test_a_finger_does_on_a_telephone_what_keys_do(browser, address, said) -> None:
    sized(browser, PHONE)
    browser.get_log("browser")
    browser.get(f"{address}/")
    told = moved_on(browser, "")
    assert browser.execute_script("return document.documentElement.scrollWidth") <= PHONE[0]
    for pressed in (
        "#mark",
        "[data-mask='0']",
        "[data-verdict=reject]",
        "[data-reason='wrong mask']",
    ):
        browser.find_element("css selector", pressed).click()
    assert browser.execute_script("return document.documentElement.scrollWidth") <= PHONE[0]
    browser.find_element("id", "send").click()
    moved_on(browser, told["item"])
    assert said()[told["item"]].reason == "wrong mask"
    assert said()[told["item"]].wrong_masks == (0,)
    assert browser.get_log("browser") == []
    sized(browser, DESKTOP)
