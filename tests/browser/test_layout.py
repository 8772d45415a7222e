"""Every page on every example site: nothing cut, nothing on top of anything, no taller than asked.

The sites do not run: a console serves each from a board that `fake_board` fills, so the largest
costs no more than the smallest.
"""

import os
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page, expect

pytestmark = pytest.mark.browser

ROOT = Path(__file__).parents[2]
SITES = sorted((ROOT / "examples/sites").glob("*.toml"))
PAGES = (
    "overview",
    "power",
    "cooling",
    "compute",
    "plan",
    "devices",
    "alarms",
    "history",
    "events",
)
SIZES = {"control room": (1280, 800), "wall": (1920, 1080), "phone": (390, 844)}
LOOKS = (("control room", "light"), ("wall", "dark"), ("phone", "light"))
START_MAX_S = 600.0

CUT = """() => {
  const found = [];
  const room = document.querySelector(".room svg");
  if (!room || !room.getClientRects().length) return found;
  const edge = room.getBoundingClientRect();
  const shown = [...room.querySelectorAll("text")].filter((text) => text.textContent.trim());
  const boxes = shown.map((text) => text.getBoundingClientRect());
  shown.forEach((text, i) => {
    const box = boxes[i], words = text.textContent;
    if (box.left < edge.left - 1 || box.right > edge.right + 1) found.push("out: " + words);
    if (box.top < edge.top - 1 || box.bottom > edge.bottom + 1) found.push("out: " + words);
    if (box.height < 9) found.push("small: " + words);
    const own = text.closest("g")?.querySelector(":scope > .box")?.getBoundingClientRect();
    if (own && (box.right > own.right + 1 || box.left < own.left - 1)) found.push("box: " + words);
    for (let j = i + 1; j < boxes.length; j++) {
      const other = boxes[j];
      const x = Math.min(box.right, other.right) - Math.max(box.left, other.left);
      const y = Math.min(box.bottom, other.bottom) - Math.max(box.top, other.top);
      if (x > 1 && y > 4) found.push(`on top: ${words} | ${shown[j].textContent}`);
    }
  });
  return found;
}"""
"""Words of the diagram that leave it or their box, are too small, or lie on other words."""

TILES = """() => [...document.querySelectorAll(".kpis section *")]
  .filter((one) => one.getClientRects().length && one.clientWidth > 0)
  .filter((one) => one.scrollWidth > one.clientWidth + 1)
  .map((one) => one.textContent)"""
"""Words of the tiles that are cut."""


@contextmanager
def console(site: Path) -> Iterator[str]:
    """A console on a board of this site."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    script = ROOT / "tests/console/fake_board.py"
    process = subprocess.Popen(
        [sys.executable, str(script), str(port), str(site)],
        env={**os.environ, "PYTHONPATH": str(ROOT / "src")},
    )
    try:
        for _ in range(int(START_MAX_S * 10)):
            with socket.socket() as probe:
                if probe.connect_ex(("127.0.0.1", port)) == 0:
                    break
            time.sleep(0.1)
        yield f"http://127.0.0.1:{port}/"
    finally:
        process.kill()
        process.wait()


@pytest.fixture(scope="module", params=SITES, ids=lambda path: path.stem)
def url(request: pytest.FixtureRequest) -> Iterator[str]:
    with console(request.param) as url:
        yield url


@contextmanager
def opened(browser: Browser, url: str, size: tuple[int, int], theme: str) -> Iterator[Page]:
    context = browser.new_context(
        viewport={"width": size[0], "height": size[1]},
        color_scheme="dark" if theme == "dark" else "light",
    )
    page = context.new_page()
    complaints: list[str] = []
    page.on("console", lambda message: complaints.append(message.text))
    page.on("pageerror", lambda error: complaints.append(str(error)))
    page.goto(url)
    expect(page.get_by_text("LIVE", exact=True)).to_be_visible(timeout=300_000)
    yield page
    assert complaints == []
    context.close()


def axe(page: Page) -> list[str]:
    page.evaluate((ROOT / "web/node_modules/axe-core/axe.min.js").read_text("utf-8"))
    found: list[str] = page.evaluate(
        """async () => (await axe.run(document, {runOnly: ["wcag2a", "wcag2aa", "wcag21aa"]}))
        .violations.map(v => `${v.id}: ${v.nodes.slice(0, 3).map(n => n.target).join(" ")}`)"""
    )
    return found


@pytest.mark.parametrize(("size", "theme"), LOOKS)
def test_every_page_fits(browser: Browser, url: str, size: str, theme: str) -> None:
    wide, high = SIZES[size]
    found: list[str] = []
    with opened(browser, url, SIZES[size], theme) as page:
        for name in PAGES:
            page.goto(f"{url}#/{name}")
            page.wait_for_timeout(700)
            found += [f"{name}: {one}" for one in axe(page)]
            if page.evaluate("document.documentElement.scrollWidth") > wide:
                found.append(f"{name}: wider than {wide}")
            if size != "phone" and page.evaluate("document.documentElement.scrollHeight") > high:
                found.append(f"{name}: higher than {high}")
            if name == "overview":
                found += [*page.evaluate(CUT), *page.evaluate(TILES)]
    assert found == []


def test_every_part_of_the_diagram_can_be_opened(browser: Browser, url: str) -> None:
    """Down from the whole site, always into a box that holds something, until there is a device."""
    with opened(browser, url, SIZES["control room"], "light") as page:
        for _ in range(12):
            assert page.evaluate(CUT) == []
            links = [
                page.locator(".room a", has_text="▸", has_not_text="nothing"),  # folded
                page.locator(".room a[href^='#/device']"),
                page.locator(".room a"),  # several alike
            ]
            expect(links[-1].first).to_be_visible()
            target = next(found for found in links if found.count())
            before = page.url
            target.first.click()
            expect(page).not_to_have_url(before)
            page.wait_for_timeout(300)
            if "#/device/" in page.url:
                break
        else:
            raise AssertionError(f"no device within 12 clicks: {page.url}")
        assert page.locator("table.rows tbody tr").count() > 0
        page.go_back()
        assert "#/device/" not in page.url


def test_keys_lead_everywhere(browser: Browser, url: str) -> None:
    with opened(browser, url, SIZES["control room"], "light") as page:
        page.keyboard.press("g")
        page.keyboard.press("e")
        expect(page).to_have_url(f"{url}#/events")
        page.keyboard.press("/")
        expect(page.locator("input[type=search]")).to_be_focused()
        page.keyboard.press("Escape")
        page.locator("h1").click()
        page.keyboard.press("?")
        expect(page.get_by_role("heading", name="Keys")).to_be_visible()
        assert axe(page) == []
        page.keyboard.press("Escape")
        expect(page.get_by_role("heading", name="Keys")).not_to_be_visible()
