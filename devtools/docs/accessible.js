// A dialog has a name for those who hear it.
addEventListener("DOMContentLoaded", () => document.querySelector(".md-search")?.setAttribute("aria-label", "Search"));

// A table that is wider than the page can be scrolled with the keys.
function reachTables() {
  for (const one of document.querySelectorAll(".md-typeset__scrollwrap")) {
    if (one.scrollWidth > one.clientWidth) one.tabIndex = 0;
    else one.removeAttribute("tabindex");
  }
}
addEventListener("load", reachTables);
addEventListener("resize", reachTables);
