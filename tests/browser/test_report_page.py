"""The report's page in a real browser, from its file, with the network watched."""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

from mocksandbox.fuzz.reports import written
from tests.unit.test_reports_made import full, hostile

playwright = pytest.importorskip("playwright.sync_api", reason="needs playwright and a Chromium: pip install playwright")

BROWSERS = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")


@pytest.fixture(scope="module")
def chromium() -> Iterator[Any]:
    """A headless Chromium: the one that `MOCKSANDBOX_CHROMIUM` names, the machine's, or playwright's own."""
    found = os.environ.get("MOCKSANDBOX_CHROMIUM") or next(filter(None, map(shutil.which, BROWSERS)), None)
    with playwright.sync_playwright() as started:
        try:
            browser = started.chromium.launch(executable_path=found, args=["--no-sandbox"])
        except playwright.Error as error:
            pytest.skip(f"needs a Chromium (`playwright install chromium`, or MOCKSANDBOX_CHROMIUM): {str(error)[:80]}")
        yield browser
        browser.close()


@dataclass
class Watched:
    """A page with what its browser said and asked for."""

    page: Any
    said: list[str] = field(default_factory=list)
    asked: list[str] = field(default_factory=list)


@pytest.fixture
def watch(chromium: Any) -> Iterator[Any]:
    opened = []

    def watch(file: Path, **options: Any) -> Watched:
        context = chromium.new_context(viewport={"width": 1200, "height": 900}, **options)
        opened.append(context)
        watched = Watched(context.new_page())
        watched.page.on("console", lambda message: watched.said.append(f"{message.type}: {message.text}"))
        watched.page.on("pageerror", lambda error: watched.said.append(str(error)))
        watched.page.on("dialog", lambda dialog: (watched.said.append("dialog"), dialog.dismiss()))
        watched.page.on("request", lambda request: watched.asked.append(request.url))
        watched.page.goto(file.as_uri())
        return watched

    yield watch
    for context in opened:
        context.close()


@pytest.fixture
def page_file(tmp_path: Path) -> Path:
    file = tmp_path / "report.html"
    file.write_bytes(written(full(), "html"))
    return file


def shown(page: Any, selector: str = ".finding") -> int:
    return int(page.locator(f"{selector}:visible").count())


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_it_opens_without_an_error_and_asks_for_nothing_but_itself(watch: Any, page_file: Path, scheme: str) -> None:
    watched = watch(page_file, color_scheme=scheme)
    watched.page.click("#open-all")
    picture = page_file.with_name(f"report-{scheme}.png")
    watched.page.screenshot(path=picture, full_page=True)
    assert picture.stat().st_size > 20_000
    assert watched.said == []
    assert watched.asked == [page_file.as_uri()]


def test_a_hostile_payload_is_text_and_nothing_more(watch: Any, tmp_path: Path) -> None:
    file = tmp_path / "hostile.html"
    file.write_bytes(written(hostile(), "html"))
    watched = watch(file)
    watched.page.click("#open-all")
    assert (watched.said, watched.asked) == ([], [file.as_uri()])
    assert "</script><script>alert(1)</script>" in watched.page.inner_text("h1")


def test_the_filter_leaves_what_fits(watch: Any, page_file: Path) -> None:
    page = watch(page_file).page
    whole, rules = len(full().findings), len(full().rules)
    assert (shown(page), shown(page, ".row")) == (whole, rules)
    page.fill("#search", "postal-code updateImmunization")
    assert shown(page) == len([each for each in full().findings if "nhs/bad-postal-code" in each.flaw.rules])
    page.fill("#search", "nothing of the sort")
    assert (shown(page), shown(page, ".row")) == (0, 0)
    assert page.is_visible("#no-findings")
    page.click("button[type=reset]")
    page.wait_for_function("document.querySelectorAll('.finding[hidden]').length === 0")
    page.select_option("#severity", "low")
    assert shown(page) == len([each for each in full().findings if each.severity == "low"])
    page.select_option("#severity", "")
    page.select_option("#outcome", "broken")
    assert shown(page, ".row") == 2
    assert "2 of" in page.inner_text("#shown")


def test_a_finding_opens_from_the_matrix_and_by_keyboard(watch: Any, page_file: Path) -> None:
    page = watch(page_file).page
    page.locator(".links a").first.click()
    page.wait_for_selector(".finding[open] .facts")
    assert page.locator(".finding[open]").count() == 1
    page.locator(".finding > summary").nth(1).focus()
    page.keyboard.press("Enter")
    assert page.locator(".finding[open]").count() == 2
    assert "curl -X POST" in page.locator(".finding[open] pre").first.inner_text()


def test_it_reads_without_its_script(watch: Any, page_file: Path) -> None:
    page = watch(page_file, java_script_enabled=False).page
    assert page.is_hidden("#filter")
    page.locator(".finding > summary").first.click()
    assert page.locator(".finding .facts").first.is_visible()


@pytest.mark.parametrize("width", [360, 1200])
def test_nothing_is_wider_than_the_window(watch: Any, page_file: Path, width: int) -> None:
    page = watch(page_file).page
    page.set_viewport_size({"width": width, "height": 800})
    page.click("#open-all")
    assert page.evaluate("document.documentElement.scrollWidth") <= width


CONTRAST = """() => {
  const parse = (text) => text.match(/[\\d.]+/g).map(Number);
  const light = ([r, g, b]) => [r, g, b].map((c) => c / 255)
    .map((c) => c <= 0.03928 ? c / 12.92 : ((c + 0.055) / 1.055) ** 2.4)
    .reduce((sum, c, i) => sum + c * [0.2126, 0.7152, 0.0722][i], 0);
  const behind = (element) => {
    for (let at = element; at; at = at.parentElement) {
      const colour = parse(getComputedStyle(at).backgroundColor);
      if (colour.length === 3 || colour[3] > 0) return colour;
    }
    return [255, 255, 255];
  };
  const poor = new Set();
  for (const element of document.querySelectorAll("body *")) {
    const own = [...element.childNodes].some((node) => node.nodeType === 3 && node.textContent.trim());
    if (!own || !element.checkVisibility() || element.matches(".skip, .unseen")) continue;
    const [a, b] = [light(parse(getComputedStyle(element).color)), light(behind(element))].sort((x, y) => y - x);
    if ((a + 0.05) / (b + 0.05) < 4.5) poor.add(`${element.tagName}.${element.className}`);
  }
  return [...poor];
}"""


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_every_text_stands_out_from_what_is_behind_it(watch: Any, page_file: Path, scheme: str) -> None:
    page = watch(page_file, color_scheme=scheme).page
    page.click("#open-all")
    assert page.evaluate(CONTRAST) == [], "WCAG 2 AA asks for 4.5 to 1"
