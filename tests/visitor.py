"""A visitor without JavaScript: opens pages, follows links and sends forms that really stand on the page."""

from __future__ import annotations

from dataclasses import dataclass, field
from html.parser import HTMLParser
from typing import Any

from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client

_VOID = {"input", "meta", "link", "img", "br", "hr"}


@dataclass
class FormSeen:
    action: str
    method: str
    fields: dict[str, Any] = field(default_factory=dict)
    choices: dict[str, list[str]] = field(default_factory=dict)
    buttons: list[str] = field(default_factory=list)


class _Reader(HTMLParser):
    """Links, forms and text of one page."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.links: list[tuple[str, str]] = []
        self.forms: list[FormSeen] = []
        self.words: list[str] = []
        self._open: dict[str, Any] = {}
        self.feed(html)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        at = {name: value or "" for name, value in attrs}
        if tag == "a":
            self._open["a"] = (at.get("href", ""), [])
        elif tag == "form":
            self._open["form"] = FormSeen(at.get("action", ""), at.get("method", "get"))
            self.forms.append(self._open["form"])
        elif tag == "button":
            self._open["button"] = []
        elif tag in ("input", "textarea", "select") and "form" in self._open and at.get("name"):
            self._field(tag, at)
        elif tag == "option" and "select" in self._open:
            name = self._open["select"]
            self._open["form"].choices[name].append(at.get("value", ""))
            if "selected" in at or name not in self._open["form"].fields:
                self._open["form"].fields[name] = at.get("value", "")

    def _field(self, tag: str, at: dict[str, str]) -> None:
        form, name, kind = self._open["form"], at["name"], at.get("type", "text")
        if tag == "select":
            self._open["select"] = name
            form.choices[name] = []
        elif tag == "textarea":
            self._open["textarea"] = name
            form.fields[name] = ""
        elif kind in ("radio", "checkbox"):
            form.choices.setdefault(name, []).append(at.get("value", "on"))
            if "checked" in at:
                form.fields[name] = at.get("value", "on")
        elif kind != "file":
            form.fields[name] = at.get("value", "")

    def handle_endtag(self, tag: str) -> None:
        if tag == "a" and "a" in self._open:
            href, words = self._open.pop("a")
            self.links.append((" ".join("".join(words).split()), href))
        elif tag == "button" and "button" in self._open:
            words = " ".join("".join(self._open.pop("button")).split())
            if "form" in self._open:
                self._open["form"].buttons.append(words)
        else:
            self._open.pop(tag, None)

    def handle_data(self, data: str) -> None:
        self.words.append(data)
        for tag in ("a", "button"):
            if tag in self._open:
                (self._open[tag][1] if tag == "a" else self._open[tag]).append(data)
        if "textarea" in self._open:
            form, name = self._open["form"], self._open["textarea"]
            form.fields[name] += data


class Visitor:
    """One browser. Every answer but those asked for must be a page (200)."""

    def __init__(self, client: Client | None = None) -> None:
        self.client = client or Client(headers={"user-agent": "Mozilla/5.0 (Android 14; Mobile) Firefox/130.0"})
        self.path = ""
        self.status = 0
        self.html = ""

    def open(self, path: str, *, status: int = 200) -> Visitor:
        return self._took(self.client.get(path, follow=True), path, status)

    def _took(self, answer: Any, path: str, status: int) -> Visitor:
        self.path = answer.redirect_chain[-1][0] if answer.redirect_chain else path
        body = b"".join(answer.streaming_content) if answer.streaming else answer.content
        self.html, self.status = body.decode(), answer.status_code
        assert self.status == status, f"{path} answered {self.status}: {self.text[:400]}"
        return self

    @property
    def page(self) -> _Reader:
        return _Reader(self.html)

    @property
    def text(self) -> str:
        return " ".join("".join(self.page.words).split())

    def follow(self, words: str) -> Visitor:
        """Tap the first link with these words."""
        for text, href in self.page.links:
            if text == words:
                return self.open(href)
        raise AssertionError(f"no link {words!r} on {self.path}: {[text for text, _href in self.page.links]}")

    def press(self, words: str, *, status: int = 200, near: dict[str, str] | None = None, **typed: Any) -> Visitor:
        """Send the first form with a button of these words (and, with `near`, those hidden values)."""
        for form in self.page.forms:
            if words in form.buttons and all(form.fields.get(k) == v for k, v in (near or {}).items()):
                unknown = [name for name in typed if name not in form.fields and name not in form.choices]
                files = {name: value for name, value in typed.items() if isinstance(value, SimpleUploadedFile)}
                assert not set(unknown) - set(files), f"{unknown} is not in the form"
                data = form.fields | {name: value for name, value in typed.items() if value is not None}
                action = form.action or self.path
                return self._took(self.client.post(action, data, follow=True), action, status)
        raise AssertionError(f"no button {words!r} on {self.path}: {[form.buttons for form in self.page.forms]}")
