"""Read the site in chromium, from the disk and without a network: links, search, widths and accessibility."""

from __future__ import annotations

import itertools
import re
import shutil
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import Any
from urllib.parse import unquote, urldefrag, urlparse

from devtools import steps

BROWSERS = ("chromium", "chromium-browser", "google-chrome")
LOOKS = ((390, "light"), (1280, "light"), (1280, "dark"))
"""A phone and a laptop: their width in pixels, and their color scheme."""
SCHEMES = ("light", "dark")
SEARCHED = "resume"
SERIOUS = ("serious", "critical")
SHOTS = steps.ROOT / "dist" / "site-pictures"
PICTURED = ("index.html", "tutorial.html", "errors.html", "measurements.html", "commands/push.html")
"""The pages of which a picture is taken in each look."""


def run(site: Path, only: Sequence[str] = ()) -> int:
    """Check *site*, print each problem, and return 1 if there is one; raise `steps.Failed` without a browser. All links
    are followed; the looks are those of the pages whose names begin with one of *only*, or of all."""
    from playwright.sync_api import sync_playwright

    program = next(filter(None, map(shutil.which, BROWSERS)), None)
    if program is None:
        raise steps.Failed("The check needs a browser. On Debian or Ubuntu: apt-get install chromium")
    SHOTS.mkdir(parents=True, exist_ok=True)
    count = 0
    # A server shows 404.html, whose links begin at its root.
    pages = sorted(path for path in site.rglob("*.html") if path.name != "404.html")
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=program, args=["--no-sandbox"])
        requested: list[str] = []
        failed: list[str] = []
        tabs = {}
        for scheme in SCHEMES:  # a tab remembers its colors
            context = browser.new_context(color_scheme=scheme, reduced_motion="reduce")
            context.on("request", lambda request: requested.append(request.url))
            context.on("weberror", lambda error: failed.append(f"{error.page.url}: {error.error}"))
            tabs[scheme] = context.new_page()
        page = tabs["light"]
        links = {path.as_uri(): _links(page, path) for path in pages}
        looked = [path for path in pages if path.relative_to(site).as_posix().startswith(tuple(only) or "")]
        count += _printed(broken(links))
        for path in looked:
            count += _printed(_look(tabs, path, path.relative_to(site).as_posix()))
        count += _printed(itertools.chain(_menu(page, site), _search(page, site), failed))
        beyond = sorted({url for url in requested if not url.startswith(("file:", "data:"))})
        count += _printed(f"asks the network for {url}" for url in beyond)
        browser.close()
    seen = f"{len(looked)} of {len(pages)} pages, {sum(map(len, links.values()))} links and anchors"
    steps.say(f"{seen}: {count} problems; pictures: {SHOTS.relative_to(steps.ROOT)}")
    return 1 if count else 0


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


def _printed(problems: Iterable[str]) -> int:
    """Print each of *problems* when it is found; return their number."""
    number = 0
    for problem in problems:
        print(problem, flush=True)
        number += 1
    return number


def _links(page: Any, path: Path) -> set[str]:
    """Return the links of a page, and its anchors."""
    page.goto(path.as_uri(), wait_until="load")
    links = set(page.eval_on_selector_all("a[href]", "all => all.map(one => one.href)"))
    return links | set(page.eval_on_selector_all("[id]", "all => all.map(one => '#' + one.id)"))


def _look(tabs: dict[str, Any], path: Path, name: str) -> Iterator[str]:
    """Open the page *name* in each look, in the tab of its color scheme; yield what is too wide and what axe finds.
    In the dark, it looks at colors alone."""
    from axe_playwright_python.sync_playwright import Axe

    for width, scheme in LOOKS:
        page = tabs[scheme]
        page.set_viewport_size({"width": width, "height": 900})
        page.goto(path.as_uri(), wait_until="load")
        wide = page.evaluate("document.documentElement.scrollWidth")
        if wide > width:
            yield f"{name}: {wide} pixels wide on a screen of {width}"
        if name in PICTURED:
            page.screenshot(path=SHOTS / f"{name.replace('/', '-')[:-5]}-{width}-{scheme}.png", full_page=False)
        rules = {"runOnly": ["color-contrast"]} if scheme == "dark" else {}
        for violation in Axe().run(page, options=rules).response["violations"]:
            if violation["impact"] in SERIOUS:
                where = "; ".join(str(node["target"]) for node in violation["nodes"][:3])
                yield f"{name}, {width} pixels, {scheme}: {violation['id']}: {violation['help']}: {where}"


def _menu(page: Any, site: Path) -> Iterator[str]:
    """Go to another page by the menu that a phone has; yield what is wrong."""
    from playwright.sync_api import TimeoutError as TimedOut

    width, _ = LOOKS[0]
    page.set_viewport_size({"width": width, "height": 900})
    page.goto((site / "index.html").as_uri(), wait_until="load")
    try:
        page.locator("label.md-header__button[for=__drawer]").click(timeout=10_000)
        page.wait_for_timeout(500)
        page.screenshot(path=SHOTS / f"menu-{width}.png")
        page.get_by_role("link", name="Tutorial").first.click(timeout=10_000)
        page.wait_for_url("**/tutorial.html", timeout=10_000)
    except TimedOut:
        yield f"the menu at {width} pixels does not lead to the tutorial"


def _search(page: Any, site: Path) -> Iterator[str]:
    """Search as a person does, from a page that was opened as a file; yield what is wrong."""
    from playwright.sync_api import TimeoutError as TimedOut

    width, _ = LOOKS[1]
    page.set_viewport_size({"width": width, "height": 900})
    page.goto((site / "index.html").as_uri(), wait_until="load")
    page.locator("input.md-search__input").click()
    page.keyboard.type(SEARCHED, delay=50)
    results = page.locator("li.md-search-result__item")
    try:
        results.first.wait_for(timeout=10_000)
    except TimedOut:
        yield f"the search finds nothing for {SEARCHED!r}"
        return
    page.screenshot(path=SHOTS / f"search-{width}.png")
    texts = results.all_inner_texts()
    if not any(re.search(SEARCHED, text, re.IGNORECASE) for text in texts):
        yield f"the search for {SEARCHED!r} finds {texts}"
