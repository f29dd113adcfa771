"""Chromium against Leeward on a real port: uvicorn in a thread of this process, so that its clock can be moved."""

from __future__ import annotations

import asyncio
import os
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from shutil import which
from typing import Any

import pytest
from django.conf import LazySettings
from playwright.sync_api import Browser, BrowserContext, ConsoleMessage, Locator, Page

from tests.servers import free_port

PHONE = {"width": 390, "height": 844}
DESK = {"width": 1280, "height": 900}
OUT = Path(__file__).resolve().parents[1] / "out"


@pytest.fixture(scope="session")
def browser_type_launch_args(browser_type_launch_args: dict[str, Any]) -> dict[str, Any]:
    """The system's Chromium where there is one. A container's root has no sandbox to offer."""
    found = next((path for name in ("chromium", "chromium-browser", "google-chrome") if (path := which(name))), None)
    arguments = ["--disable-gpu", "--disable-background-networking", "--disable-component-update", "--disable-sync"]
    if hasattr(os, "geteuid") and os.geteuid() == 0:
        arguments.append("--no-sandbox")
    return browser_type_launch_args | {"args": arguments} | ({"executable_path": found} if found else {})


@dataclass
class Server:
    """A running Leeward on the test's own database."""

    url: str
    stop: Callable[[], None]


@pytest.fixture
def server(transactional_db: None, settings: LazySettings, tmp_path: Path) -> Iterator[Server]:
    """Pages at `server.url`; letters in `django.core.mail.outbox`; help lines written as examples."""
    import uvicorn

    from leeward.web.assets import gather

    port = free_port()
    settings.PUBLIC_URL = f"http://localhost:{port}"
    settings.LEEWARD_HELP_LINES = tmp_path / "help-lines.toml"
    settings.EMAIL_BACKEND = "django.core.mail.backends.locmem.EmailBackend"
    gather()
    from leeward.config.asgi import application

    house = uvicorn.Server(
        uvicorn.Config(application, host="127.0.0.1", port=port, log_level="error", timeout_graceful_shutdown=2)
    )
    thread = threading.Thread(target=lambda: asyncio.run(house.serve()), daemon=True)
    thread.start()
    for _ in range(200):
        if house.started:
            break
        time.sleep(0.05)
    assert house.started, "the server did not start within 10 s"

    def stop() -> None:
        house.should_exit = True
        thread.join(10)

    yield Server(settings.PUBLIC_URL, stop)
    stop()


class Person:
    """One person with one device. Whatever the page's console says in anger fails the test at `calm()`."""

    def __init__(self, context: BrowserContext, url: str, *, scripts: bool = True) -> None:
        self.context, self.url, self.scripts = context, url, scripts
        self.page: Page = context.new_page()
        self.page.set_default_timeout(8_000)
        self.anger: list[str] = []
        self.elsewhere: list[str] = []
        self.page.on("console", self._heard)
        self.page.on("pageerror", lambda error: self.anger.append(str(error)))
        self.page.on("request", lambda sent: self._asked(sent.url))

    def _heard(self, message: ConsoleMessage) -> None:
        if message.type in ("error", "warning") and "status of 4" not in message.text:
            self.anger.append(message.text)

    def _asked(self, address: str) -> None:
        if not address.startswith((self.url, "data:")):
            self.elsewhere.append(address)

    def open(self, path: str) -> Person:
        answer = self.page.goto(path if path.startswith("http") else self.url + path)
        assert answer is not None
        assert answer.status == 200, f"{path} answered {answer.status}"
        return self

    def follow(self, words: str) -> Person:
        with self.page.expect_navigation():
            self.page.get_by_role("link", name=words, exact=True).first.click()
        return self

    def press(self, words: str, **typed: str) -> Person:
        """Type into the fields with these ids, tick or choose radio buttons by value, and press the button."""
        for name, value in typed.items():
            field = self.page.locator(f'[name="{name}"]')
            kind = field.first.get_attribute("type")
            if kind == "checkbox":
                field.check()
            elif kind == "radio":
                self.page.locator(f'[name="{name}"][value="{value}"]').check()
            elif field.first.evaluate("node => node.tagName") == "SELECT":
                field.select_option(value)
            else:
                field.fill(value)
        return self.tap(self.page.get_by_role("button", name=words, exact=True).first)

    def tap(self, node: Locator) -> Person:
        """Click something that leads on: to a page, or in the live room to its next picture."""
        if self.scripts and node.evaluate("node => node.tagName === 'BUTTON' && !!node.closest('live-room')"):
            with self.page.expect_response(lambda answer: answer.request.method == "POST"):
                node.click()
            self.page.wait_for_timeout(300)  # for the picture, which comes by the socket
        else:
            with self.page.expect_navigation():
                node.click()
        return self

    @property
    def text(self) -> str:
        return self.page.locator("main").inner_text()

    def calm(self) -> None:
        assert self.anger == []
        assert self.elsewhere == []


@pytest.fixture
def somebody(browser: Browser, server: Server) -> Iterator[Callable[..., Person]]:
    """`somebody()` is a new person on a phone; options are those of a browser context."""
    contexts: list[BrowserContext] = []

    def come(**options: Any) -> Person:
        contexts.append(browser.new_context(**({"viewport": PHONE, "locale": "en-GB"} | options)))
        return Person(contexts[-1], server.url, scripts=options.get("java_script_enabled", True))

    yield come
    for context in contexts:
        context.close()


@pytest.fixture
def at_moment(clock_at: Callable[[datetime], None]) -> Callable[[datetime], None]:
    """Move the house's clock."""
    return clock_at


def picture(person: Person, name: str) -> None:
    """Keep a screenshot under tests/out when LEEWARD_PICTURES is set."""
    if os.environ.get("LEEWARD_PICTURES"):
        OUT.mkdir(exist_ok=True)
        person.page.screenshot(path=OUT / f"{name}.png", full_page=True)
