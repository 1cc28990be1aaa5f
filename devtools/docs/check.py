"""Read the site in chromium, from the disk and without a network: links, search, widths and accessibility."""

from __future__ import annotations

import re
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import unquote, urldefrag, urlparse

from devtools import steps

BROWSERS = ("chromium", "chromium-browser", "google-chrome")
WIDTHS = (390, 1280)
"""A phone and a laptop, in pixels."""
SEARCHED = "resume"
SERIOUS = ("serious", "critical")
SHOTS = steps.ROOT / "dist" / "site-pictures"
PICTURED = ("index.html", "tutorial.html", "errors.html", "commands/push.html")
"""The pages of which a picture is taken at each width."""


def run(site: Path) -> int:
    """Check *site*, print each problem, and return 1 if there is one; raise `steps.Failed` without a browser."""
    from playwright.sync_api import sync_playwright

    program = next(filter(None, map(shutil.which, BROWSERS)), None)
    if program is None:
        raise steps.Failed("The check needs a browser. On Debian or Ubuntu: apt-get install chromium")
    shutil.rmtree(SHOTS, ignore_errors=True)
    SHOTS.mkdir(parents=True)
    found: list[str] = []
    # A server shows 404.html, whose links begin at its root.
    pages = sorted(path for path in site.rglob("*.html") if path.name != "404.html")
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=program, args=["--no-sandbox"])
        context = browser.new_context(viewport={"width": WIDTHS[-1], "height": 900}, reduced_motion="reduce")
        requested: list[str] = []
        context.on("request", lambda request: requested.append(request.url))
        page = context.new_page()
        page.on("pageerror", lambda error: found.append(f"{page.url}: {error}"))
        links: dict[str, set[str]] = {}
        for path in pages:
            found += _read(page, path, site, links)
        found += _search(page, site)
        found += [
            f"asks the network for {url}" for url in sorted(set(requested)) if not url.startswith(("file:", "data:"))
        ]
        browser.close()
    found += broken(links)
    for problem in found:
        print(problem)
    steps.say(f"{len(pages)} pages, {sum(map(len, links.values()))} links: {len(found)} problems; pictures: {SHOTS}")
    return 1 if found else 0


def broken(links: dict[str, set[str]]) -> list[str]:
    """Return the links among files that lead to no file or to no place in it. *links* has those of each page.

    A page is read once, by the browser, so its own anchors are among its links as `#NAME`.
    """
    found = []
    for page, targets in links.items():
        for target in sorted(targets):
            url, anchor = urldefrag(target)
            path = Path(unquote(urlparse(url).path))
            if target.startswith("#") or urlparse(url).scheme != "file":
                continue
            if not path.is_file():
                found.append(f"{page}: {target} leads nowhere")
            elif anchor and f"#{anchor}" not in links.get(path.as_uri(), set()):
                found.append(f"{page}: there is no #{anchor} in {path.name}")
    return found


def _read(page: Any, path: Path, site: Path, links: dict[str, set[str]]) -> Iterator[str]:
    """Open one page at each width; yield its problems, and note its links and anchors."""
    from axe_playwright_python.sync_playwright import Axe

    name = path.relative_to(site).as_posix()
    for width in WIDTHS:
        page.set_viewport_size({"width": width, "height": 900})
        page.goto(path.as_uri(), wait_until="load")
        wide = page.evaluate("document.documentElement.scrollWidth")
        if wide > width:
            yield f"{name}: {wide} pixels wide on a screen of {width}"
        if name in PICTURED:
            page.screenshot(path=SHOTS / f"{name.replace('/', '-')[:-5]}-{width}.png", full_page=False)
    links[path.as_uri()] = set(page.eval_on_selector_all("a[href]", "all => all.map(one => one.href)")) | set(
        page.eval_on_selector_all("[id]", "all => all.map(one => '#' + one.id)")
    )
    for violation in Axe().run(page).response["violations"]:
        if violation["impact"] in SERIOUS:
            where = "; ".join(str(node["target"]) for node in violation["nodes"][:3])
            yield f"{name}: {violation['id']}: {violation['help']}: {where}"


def _search(page: Any, site: Path) -> Iterator[str]:
    """Search as a person does, from a page that was opened as a file; yield what is wrong."""
    from playwright.sync_api import TimeoutError as TimedOut

    page.goto((site / "index.html").as_uri(), wait_until="load")
    page.locator("input.md-search__input").click()
    page.keyboard.type(SEARCHED, delay=50)
    results = page.locator("li.md-search-result__item")
    try:
        results.first.wait_for(timeout=10_000)
    except TimedOut:
        yield f"the search finds nothing for {SEARCHED!r}"
        return
    page.screenshot(path=SHOTS / f"search-{WIDTHS[-1]}.png")
    texts = results.all_inner_texts()
    if not any(re.search(SEARCHED, text, re.IGNORECASE) for text in texts):
        yield f"the search for {SEARCHED!r} finds {texts}"
