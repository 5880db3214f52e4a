"""A real browser for tests of pages, and a page that is served while it looks."""

import shutil
import socket
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from threading import Thread
from typing import Any

import pytest
import uvicorn

CHROMIUM, DRIVER = shutil.which("chromium"), shutil.which("chromedriver")
webdriver = pytest.importorskip("selenium.webdriver", reason="selenium is not installed")
IN_A_BROWSER = [
    pytest.mark.full,
    pytest.mark.skipif(
        CHROMIUM is None or DRIVER is None, reason="chromium and chromedriver are not installed"
    ),
]
ENTER, ESCAPE = "\ue007", "\ue00c"
PHONE, DESKTOP = (390, 844), (1280, 900)
QUIET = (
    "--headless", "--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage", "--disable-sync",
    "--disable-background-networking", "--disable-component-update",
)  # fmt: skip


@contextmanager
def opened_browser() -> Iterator[Any]:
    """Open a browser that logs what it says and what it asks for."""
    options = webdriver.ChromeOptions()
    options.binary_location = CHROMIUM
    for argument in QUIET:
        options.add_argument(argument)
    options.set_capability("goog:loggingPrefs", {"browser": "ALL", "performance": "ALL"})
    opened = webdriver.Chrome(options=options, service=webdriver.ChromeService(DRIVER))
    opened.set_window_size(*DESKTOP)
    yield opened
    opened.quit()


@contextmanager
def served(application: Any) -> Iterator[str]:
    """Serve a page meanwhile; yields its address."""
    bound = socket.create_server(("127.0.0.1", 0))
    server = uvicorn.Server(uvicorn.Config(application, log_level="error"))
    thread = Thread(target=server.run, kwargs={"sockets": [bound]})
    thread.start()
    yield f"http://127.0.0.1:{bound.getsockname()[1]}"
    server.should_exit = True
    thread.join()


def press(browser: Any, *keys: str) -> None:
    """Press keys one after the other, where the focus is."""
    for key in keys:
        browser.switch_to.active_element.send_keys(key)


def until(holds: Callable[[], Any], seconds: float = 60) -> Any:
    """Return what `holds` returns, as soon as that is true."""
    end = time.monotonic() + seconds
    while not (found := holds()) and time.monotonic() < end:
        time.sleep(0.05)
    return found


def sized(browser: Any, size: tuple[int, int]) -> None:
    """Make the screen as large as that of a telephone or a desk."""
    browser.execute_cdp_cmd(
        "Emulation.setDeviceMetricsOverride",
        {"width": size[0], "height": size[1], "deviceScaleFactor": 1, "mobile": size == PHONE},
    )
