"""The page in a real browser: what is drawn, what the keys do, and that nothing is fetched."""

from collections.abc import Iterator
from typing import Any

import pytest

from tests.dataset.browsing import (
    DESKTOP,
    ESCAPE,
    IN_A_BROWSER,
    PHONE,
    opened_browser,
    press,
    served,
    sized,
    until,
)
from view.app import application
from view.looked_at import LookedAt

pytestmark = IN_A_BROWSER
# the canvas's colour at a place given as shares of its width and height
PIXEL = """
const canvas = document.getElementById("canvas");
const at = [Math.floor(arguments[0] * canvas.width), Math.floor(arguments[1] * canvas.height)];
return [...canvas.getContext("2d").getImageData(...at, 1, 1).data].slice(0, 3);
"""


@pytest.fixture(scope="module")
def address(finished, spill) -> Iterator[str]:
    looked_at = LookedAt(finished, spill)
    looked_at.index.fill()
    with served(application(looked_at)) as found:
        yield found


@pytest.fixture(scope="module")
def browser() -> Iterator[Any]:
    with opened_browser() as opened:
        yield opened


def opened(browser, address, sample_id):
    browser.get(f"{address}/sample/{sample_id}")
    # the river of the picture is blue under its mask or without it: something is drawn
    assert until(lambda: sum(browser.execute_script(PIXEL, 0.05, 0.5)) > 0)


def reddish(browser):
    """Whether the river is under a vermilion mask."""
    red, _, blue = browser.execute_script(PIXEL, 0.05, 0.5)
    return red > blue


def test_masks_are_drawn_and_space_takes_them_off(browser, address):
    opened(browser, address, "land-000-04")
    assert until(lambda: reddish(browser))
    press(browser, " ")
    assert until(lambda: not reddish(browser))
    press(browser, " ")
    assert until(lambda: reddish(browser))


def test_reading_along_lights_the_mask_of_a_step_alone(browser, address):
    opened(browser, address, "land-000-07")  # water, then forest
    current = "return document.querySelector('[aria-current=true]')?.textContent ?? ''"
    press(browser, "j")
    assert "water" in browser.execute_script(current)
    assert until(lambda: reddish(browser))
    press(browser, "j")
    assert "forest" in browser.execute_script(current)
    assert until(lambda: not reddish(browser))  # the river's mask is nearly gone
    press(browser, "k", "k")
    assert browser.execute_script(current) == ""


def test_a_part_of_the_program_stays_alone_until_a_step_or_all_masks_are_asked_for(
    browser, address
):
    opened(browser, address, "land-000-07")
    pinned = "return document.querySelectorAll('.part.on').length"
    every = browser.find_element("id", "every")
    assert not every.is_displayed()
    browser.find_elements("css selector", ".part[data-layer]")[-1].click()
    assert browser.execute_script(pinned) == 1
    assert until(lambda: not reddish(browser))  # the river's mask, which is not this one
    press(browser, "j")
    assert browser.execute_script(pinned) == 0
    assert until(lambda: reddish(browser))
    every.click()
    assert until(lambda: not every.is_displayed())


def test_an_image_is_not_swiped_against_itself(browser, address):
    opened(browser, address, "land-000-00")
    same = "return [...document.querySelectorAll('#against option')].map(one => one.disabled)"
    assert browser.execute_script(same)[:3] == [False, True, False]
    press(browser, "s", "2")
    caption = "return document.getElementById('caption').textContent"
    assert until(lambda: browser.execute_script(caption).startswith("Image 2"))
    assert "|" not in browser.execute_script(caption)


def test_a_sample_opens_on_the_image_that_its_first_step_marks(browser, address):
    opened(browser, address, "land-000-02")  # an area, marked on the second image
    caption = "return document.getElementById('caption').textContent"
    assert browser.execute_script(caption).startswith("Image 2")
    pressed = "return document.querySelector('.strip [aria-pressed=true]').dataset.image"
    assert browser.execute_script(pressed) == "1"


def test_arrows_go_from_sample_to_sample_and_a_swipe_shows_two_images(browser, address):
    opened(browser, address, "land-000-00")
    press(browser, "\ue014")
    assert until(lambda: browser.current_url.endswith("/sample/land-000-01"))
    press(browser, "\ue012")
    assert until(lambda: browser.current_url.endswith("/sample/land-000-00"))
    press(browser, "s")
    caption = "return document.getElementById('caption').textContent"
    assert until(lambda: "|" in browser.execute_script(caption))
    assert browser.execute_script("return document.getElementById('swipe').hidden") is False


def test_a_slash_begins_a_search_and_a_question_mark_shows_the_keys(browser, address):
    browser.get(f"{address}/")
    press(browser, "/")
    assert browser.switch_to.active_element.get_attribute("id") == "search"
    press(browser, "storm-001\n")
    assert until(lambda: "q=storm-001" in browser.current_url)
    assert len(browser.find_elements("css selector", ".item")) == 3
    browser.find_element("tag name", "body").send_keys("?")
    assert until(lambda: browser.execute_script("return document.getElementById('keys').open"))


def test_escape_leaves_the_search_and_closes_the_keys_and_goes_no_further(browser, address):
    opened(browser, address, "land-000-04")
    here = browser.current_url
    browser.find_element("tag name", "body").send_keys("?")
    keys = "return document.getElementById('keys').open"
    assert until(lambda: browser.execute_script(keys))
    press(browser, ESCAPE)
    assert until(lambda: not browser.execute_script(keys))
    assert browser.current_url == here
    browser.get(f"{address}/?q=river")
    press(browser, "/", "lake", ESCAPE)
    at = "return document.activeElement.id"
    assert browser.execute_script(at) != "search"


@pytest.mark.parametrize("size", [PHONE, DESKTOP])
@pytest.mark.parametrize(
    "page", ["/", "/sample/land-000-04", "/counts", "/map", "/refused", "/about", "/?source=mars"]
)
def test_no_page_is_wider_than_the_screen_or_has_an_error(browser, address, page, size):
    sized(browser, size)
    browser.get_log("browser")
    browser.get(address + page)
    wide = browser.execute_script("return document.documentElement.scrollWidth")
    assert wide <= size[0]
    bad = [one for one in browser.get_log("browser") if "400 (Bad Request)" not in one["message"]]
    assert bad == []


def test_a_browser_asks_nobody_but_the_page(browser, address):
    browser.get_log("performance")
    for page in ("/", "/sample/land-000-04", "/counts"):
        browser.get(address + page)
    asked = [one["message"] for one in browser.get_log("performance")]
    sent = [text for text in asked if '"Network.requestWillBeSent"' in text]
    assert sent
    foreign = [t for t in sent if f'"url":"{address}/' not in t and '"url":"data:' not in t]
    assert foreign == []
