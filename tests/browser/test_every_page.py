"""Every page that the demo's cast can reach by tapping: axe, no sideways scrolling, one heading, no foreign request."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from urllib.parse import urlsplit

import pytest
from axe_playwright_python.sync_playwright import Axe
from django.conf import settings as django_settings
from django.urls import Resolver404, resolve

from tests.browser.conftest import DESK, PHONE, Person, Server

pytestmark = pytest.mark.browser
SKIP = {"enter", "record_markdown", "record_csv", "arrived"}
RULES = {"runOnly": ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"]}


@pytest.fixture
def links(server: Server) -> dict[str, str]:
    """name → sign-in path of the demo's cast, on this server."""
    from leeward.config import demo

    demo.build(lambda text: None)
    return dict(json.loads((django_settings.LEEWARD_HOME / "links.json").read_text()))


def name_of(path: str) -> str | None:
    try:
        return resolve(urlsplit(path).path).url_name
    except Resolver404:
        return None


def walk(me: Person, start: str, seen: set[str]) -> Iterator[str]:
    """Follow links, breadth first; each kind of page once (`seen` by name). The page is open when it is yielded."""
    waiting = [start]
    while waiting:
        path = waiting.pop(0)
        name = name_of(path)
        if name is None or name in seen or name in SKIP:
            continue
        seen.add(name)
        me.open(path)
        landed = name_of(me.page.url) or ""
        if landed != name and landed in seen:
            continue
        seen.add(landed)
        yield landed
        found = me.page.eval_on_selector_all("a[href]", "all => all.map(a => a.getAttribute('href'))")
        waiting += [href for href in found if href.startswith("/")]


def wrongs(me: Person) -> list[str]:
    """What axe finds, in all four combinations of width and colours, and what our own eyes would."""
    found = []
    for size in (PHONE, DESK):
        me.page.set_viewport_size(size)  # type: ignore[arg-type]
        for colours in ("light", "dark"):
            me.page.emulate_media(color_scheme=colours, reduced_motion="reduce")
            result = Axe().run(me.page, options=RULES)
            for violation in result.response["violations"]:
                nodes = "; ".join(node["html"][:120] for node in violation["nodes"][:3])
                found.append(f"{size['width']} {colours} {violation['id']}: {nodes}")
    me.page.emulate_media(color_scheme="light")
    me.page.set_viewport_size({"width": 320, "height": 700})
    wide = me.page.evaluate("document.documentElement.scrollWidth")
    if wide > 320:
        found.append(f"{wide} pixels wide on a screen of 320")
    low = me.page.evaluate(
        """() => [...document.querySelectorAll('main button, main .button, header a, main input, main select')]
        .filter(node => node.type !== 'hidden' && node.checkVisibility() && node.getBoundingClientRect().height < 44
          && !['radio', 'checkbox'].includes(node.type)).map(node => node.outerHTML.slice(0, 120))"""
    )
    found += [f"lower than 44 pixels: {node}" for node in low]
    headings = me.page.locator("h1").count()
    if headings != 1:
        found.append(f"{headings} main headings")
    me.page.set_viewport_size(PHONE)  # type: ignore[arg-type]
    return found


def unfold(me: Person) -> None:
    """Open every drawer of the page."""
    me.page.evaluate(
        "document.querySelectorAll('details').forEach(node => { node.removeAttribute('name'); node.open = true })"
    )


# Whoever opens it, and what they do first so that pages with a life of their own are there.
WALKS = {
    "nobody": ("/", {"front", "sign_in", "help"}),
    "Ana": ("/home/", {"home", "group", "meeting", "record", "account", "group_people", "leave", "places", "propose"}),
    "Gus": ("/home/", {"launch", "group_settings", "rhythm", "draft", "found", "bring"}),
}


@pytest.mark.parametrize("name", WALKS)
def test_every_page_is_for_everyone(somebody: Callable[..., Person], links: dict[str, str], name: str) -> None:
    me = somebody()
    if name in links:
        me.open(links[name])
    start, least = WALKS[name]
    seen: set[str] = set()
    wrong = {page: found for page in walk(me, start, seen) if (found := wrongs(me))}
    assert wrong == {}
    assert seen >= least
    me.calm()


def test_the_room_is_for_everyone_in_each_phase(somebody: Callable[..., Person], links: dict[str, str]) -> None:
    ben = somebody()
    ben.open(links["Ben"]).follow("Open the meeting")
    ben.follow("Go to the room")
    phases = {"closed": wrongs(ben)}
    ben.press("Open it, I am in the room")
    phases["lobby"] = wrongs(ben)
    ben.press("Is here")  # one person is no meeting
    ben.press("Start")
    unfold(ben)
    phases["running"] = wrongs(ben)
    ben.press("Pause the clock")
    phases["paused"] = wrongs(ben)
    unfold(ben)
    ben.press("Stop: somebody needs a moment")
    phases["held"] = wrongs(ben)
    ben.press("We can go on").press("Go on").open(ben.page.url)
    unfold(ben)
    ben.follow("Close the meeting now")
    phases["close"] = wrongs(ben)
    ben.press("Close the meeting now")
    phases["held meeting"] = wrongs(ben)
    assert {phase: found for phase, found in phases.items() if found} == {}
    ben.calm()


def test_a_form_with_mistakes_is_for_everyone(somebody: Callable[..., Person], links: dict[str, str]) -> None:
    gus = somebody()
    gus.open(links["Gus"]).open("/found/").press("Start the group", name="", purpose="x")
    assert gus.page.locator("[aria-invalid=true]").count() >= 2
    assert gus.page.locator("[name=purpose]").input_value() == "x"
    assert wrongs(gus) == []


def test_axe_would_see_a_mistake(somebody: Callable[..., Person], links: dict[str, str]) -> None:
    me = somebody().open("/")
    me.page.evaluate(
        "document.querySelector('main').insertAdjacentHTML('beforeend', '<img src=\"/static/img/sail.svg\">')"
    )
    assert any("image-alt" in found for found in wrongs(me))
