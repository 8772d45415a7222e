"""The first page in a real browser, on the real demo site: run with `./run test --ui`.

With MALLEE_PICTURES=300 the pictures in docs/images are taken anew after so many seconds.
"""

import gzip
import os
import re
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Literal, Protocol

import pytest
from playwright.sync_api import Browser, Page, expect

pytestmark = pytest.mark.browser

ROOT = Path(__file__).parents[2]
SCREEN = {"width": 1280, "height": 800}
PHONE = {"width": 390, "height": 844}
FIRST_VALUE_MAX_MS = 300_000
Theme = Literal["light", "dark"]
THEMES: dict[Theme, str] = {"light": "console.png", "dark": "console-dark.png"}


class Console(Protocol):
    """A console that a test may end and start again."""

    url: str

    def start(self) -> None: ...
    def kill(self) -> None: ...


@contextmanager
def page_at(
    browser: Browser, url: str, *, theme: Theme = "light", size: dict[str, int] = SCREEN
) -> Iterator[Page]:
    """A page that must not complain on the console nor ask anybody else for anything."""
    context = browser.new_context(
        viewport={"width": size["width"], "height": size["height"]}, color_scheme=theme
    )
    page = context.new_page()
    complaints: list[str] = []
    page.on("console", lambda message: complaints.append(message.text))
    page.on("pageerror", lambda error: complaints.append(str(error)))
    page.on("request", lambda request: elsewhere(request.url, url, complaints))
    page.goto(url)
    yield page
    expected = re.compile(r"WebSocket connection to|ERR_CONNECTION")  # of consoles that tests kill
    assert [text for text in complaints if not expected.search(text)] == []
    context.close()


def elsewhere(asked: str, url: str, complaints: list[str]) -> None:
    if not asked.startswith((url, url.replace("http", "ws"))):
        complaints.append(f"asked {asked}")


def wait_for_values(page: Page) -> None:
    """Until every number on the page is known and fresh."""
    expect(page.get_by_text("LIVE", exact=True)).to_be_visible(timeout=FIRST_VALUE_MAX_MS)
    expect(page.locator("main .stale")).to_have_count(0, timeout=FIRST_VALUE_MAX_MS)


def number(page: Page, label: str) -> float:
    """The large number of a tile."""
    tile = page.locator(".kpis section", has=page.get_by_role("heading", name=label))
    expect(tile.locator(".number")).to_have_text(re.compile(r"\d"), timeout=FIRST_VALUE_MAX_MS)
    text = tile.locator(".number").inner_text()
    return float(text.replace("\u2212", "-").replace("\u2007", "").replace("\u202f", ""))


def axe(page: Page) -> list[str]:
    """What axe-core finds against WCAG A and AA."""
    page.evaluate((ROOT / "web/node_modules/axe-core/axe.min.js").read_text("utf-8"))
    found: list[str] = page.evaluate(
        """async () => (await axe.run(document, {runOnly: ["wcag2a", "wcag2aa", "wcag21aa"]}))
        .violations.map(v => `${v.id}: ${v.nodes.map(n => n.target).join(" ")}`)"""
    )
    return found


def test_the_demo_site_is_live_and_inside_its_limits(browser: Browser, demo_url: str) -> None:
    with page_at(browser, demo_url) as page:
        wait_for_values(page)
        expect(page.get_by_role("heading", level=1)).to_have_text("charging-site")
        expect(page.get_by_text("TWIN", exact=True)).to_be_visible()
        expect(page.get_by_text("AUTO", exact=True)).to_be_visible(timeout=FIRST_VALUE_MAX_MS)
        assert 0 < number(page, "Grid import") < 600
        assert 20 < number(page, "Pods") < 290
        pue = page.locator(".kpis section", has_text="PUE").locator(".number")
        expect(pue).to_have_text(re.compile(r"^1\.[012]\d\d$"), timeout=FIRST_VALUE_MAX_MS)
        assert 17 < number(page, "Coolant supply") < 45
        why = page.get_by_role("region", name="Why the site runs as it does")
        expect(why).to_contain_text(re.compile(r"Import \d+ kW of \d+ kW"))
        expect(why).to_contain_text(re.compile(r"since \d\d:\d\d, figures of \d\d:\d\d:\d\d"))
        # the next second brings other numbers
        clock = page.locator("time.clock").inner_text()
        expect(page.locator("time.clock")).not_to_have_text(clock)
        labels = page.locator("svg .name").all_text_contents()
        assert {"tx1", "q-pod", "bess1", "ev1", "ev2", "r1", "r2", "cdu1"} <= set(labels)


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_it_is_accessible_and_fits_a_control_room_screen(
    browser: Browser, demo_url: str, theme: Theme
) -> None:
    with page_at(browser, demo_url, theme=theme, size={"width": 1280, "height": 720}) as page:
        wait_for_values(page)
        assert axe(page) == []
        assert page.evaluate("document.documentElement.scrollWidth") == 1280
        assert page.evaluate("document.documentElement.scrollHeight") == 720


def test_a_phone_shows_the_branches_as_a_list(browser: Browser, demo_url: str) -> None:
    with page_at(browser, demo_url, size=PHONE) as page:
        wait_for_values(page)
        expect(page.get_by_role("rowheader", name="pod1/r2")).to_be_visible()
        assert page.evaluate("document.documentElement.scrollWidth") == PHONE["width"]
        assert axe(page) == []


def test_the_theme_can_be_chosen_by_keyboard_and_is_kept(browser: Browser, demo_url: str) -> None:
    with page_at(browser, demo_url, theme="light") as page:
        wait_for_values(page)
        for _ in range(1 + page.locator("header a").count()):
            page.keyboard.press("Tab")
        page.keyboard.press("Enter")  # light
        page.keyboard.press("Enter")  # dark
        expect(page.locator("html")).to_have_attribute("data-theme", "dark")
        page.reload()
        expect(page.locator("html")).to_have_attribute("data-theme", "dark")
        expect(page.get_by_role("button")).to_have_text("Theme: dark")
        page.get_by_role("button").click()
        expect(page.locator("html")).to_have_attribute("data-theme", "light")


def test_numbers_do_not_move_while_they_change(browser: Browser, demo_url: str) -> None:
    with page_at(browser, demo_url) as page:
        wait_for_values(page)
        for tile in page.locator(".kpis .number").all():  # one is a mean of the last minute
            expect(tile).to_have_text(re.compile(r"\d"), timeout=FIRST_VALUE_MAX_MS)
        units = page.locator(".kpis .value > .unit")
        places: list[list[float]] = []
        for _ in range(4):
            clock = page.locator("time.clock").inner_text()
            expect(page.locator("time.clock")).not_to_have_text(clock)  # the next frame
            boxes = [units.nth(i).bounding_box() for i in range(units.count())]
            places.append([round(box["x"]) for box in boxes if box])
        assert places == [places[0]] * len(places)


def test_a_limit_broken_shows_in_colour_shape_and_words(
    browser: Browser, overloaded: Console
) -> None:
    with page_at(browser, overloaded.url) as page:
        wait_for_values(page)
        tile = page.locator(".kpis section").first
        expect(tile.locator(".value")).to_have_class(re.compile("p1"))
        expect(tile).to_contain_text(re.compile(r"▲ [\d.\u202f]+ kW above the limit"))


def test_a_console_that_dies_is_shown_stale_and_comes_back(
    browser: Browser, overloaded: Console
) -> None:
    with page_at(browser, overloaded.url) as page:
        wait_for_values(page)
        overloaded.kill()
        expect(page.get_by_text(re.compile(r"STALE \d+ s"))).to_be_visible()
        expect(page.locator(".kpis .value.stale")).to_have_count(6)
        overloaded.start()
        wait_for_values(page)


def test_the_first_page_is_small(browser: Browser, overloaded: Console) -> None:
    """What is loaded before the first number shows; other pages load theirs when opened."""
    assets = ROOT / "src/mallee/console/static/assets"
    loaded: set[str] = set()
    page = browser.new_page()
    page.on("response", lambda answer: loaded.add(answer.url.rpartition("/")[2]))
    page.goto(overloaded.url)
    wait_for_values(page)
    page.close()
    sizes = {".js": 0, ".css": 0}
    for path in (assets / name for name in loaded):
        if path.suffix in sizes:
            sizes[path.suffix] += len(gzip.compress(path.read_bytes()))
    assert 0 < sizes[".js"] <= 80_000
    assert 0 < sizes[".css"] <= 10_000


def test_pictures(browser: Browser, demo_url: str, tmp_path: Path) -> None:
    wait_s = float(os.environ.get("MALLEE_PICTURES", "0"))
    folder = ROOT / "docs/images" if wait_s else tmp_path
    time.sleep(wait_s)
    for theme, name in THEMES.items():
        with page_at(browser, demo_url, theme=theme) as page:
            wait_for_values(page)
            page.wait_for_timeout(2000)
            page.screenshot(path=folder / name)
            assert (folder / name).stat().st_size > 30_000
