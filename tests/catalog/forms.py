"""A form as a browser has it: the inputs of a page, and what pressing a button would send."""

from __future__ import annotations

from dataclasses import dataclass, field
from html.parser import HTMLParser
from typing import Any

from django.http import HttpResponse
from django.test import Client


class _Inputs(HTMLParser):
    """Collects what the form ``#form`` would send, and its buttons, as a browser reads the page."""

    def __init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self.sent: dict[str, str] = {}
        self.options: dict[str, list[str]] = {}
        self.buttons: list[str] = []
        self.ids: list[str] = []
        self.invalid: list[str] = []
        self.described: dict[str, str] = {}
        self._inside = False
        self._select = ""
        self._area = ""
        self._first = False

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        has = {name: value or "" for name, value in attrs}
        self.ids += [has["id"]] if "id" in has else []
        if tag == "form" and has.get("id") == "form":
            self._inside = True
        if not self._inside:
            return
        name = has.get("name", "")
        if "aria-invalid" in has:
            self.invalid.append(name)
        if "aria-describedby" in has:
            self.described[name or has.get("id", "")] = has["aria-describedby"]
        if tag == "input" and (has.get("type") not in ("radio", "checkbox") or "checked" in has):
            # A browser takes line breaks out of what stands on one line, and NUL out of everything.
            self.sent[name] = has.get("value", "").replace("\n", "").replace("\r", "").replace("\x00", "\ufffd")
        elif tag == "select":
            self._select = name
            self.options[name] = []
        elif tag == "option":
            self.options[self._select].append(has.get("value", ""))
            if len(self.options[self._select]) == 1 or "selected" in has:
                self.sent[self._select] = has.get("value", "")
        elif tag == "textarea":
            self._area, self._first, self.sent[name] = name, True, ""
        elif tag == "button":
            self.buttons.append(has.get("value", ""))

    def handle_data(self, data: str) -> None:
        if self._area:
            text = data.removeprefix("\n") if self._first else data
            self._first = False
            self.sent[self._area] += text.replace("\r\n", "\n").replace("\r", "\n").replace("\x00", "\ufffd")

    def handle_endtag(self, tag: str) -> None:
        if tag == "textarea":
            self.sent[self._area] = self.sent[self._area].replace("\n", "\r\n")
            self._area = ""
        if tag == "form":
            self._inside = False


@dataclass
class Form:
    """The form of a page, to be filled in and sent."""

    client: Client
    address: str
    response: Any
    sent: dict[str, str] = field(default_factory=dict)
    buttons: list[str] = field(default_factory=list)
    page: _Inputs = field(default_factory=_Inputs)

    @property
    def text(self) -> str:
        return str(self.response.content.decode())

    def press(self, do: str, **changes: str) -> Form:
        """The page that comes of pressing a button, redirects followed; names in ``changes`` are those of inputs."""
        return self.post({**self.sent, **changes, "do": do})

    def fill(self, **changes: str) -> Form:
        self.sent.update(changes)
        return self

    def post(self, data: dict[str, Any]) -> Form:
        return form_of(self.client, self.address, self.client.post(self.address, data, follow=True))


def form_of(client: Client, address: str, response: HttpResponse) -> Form:
    page = _Inputs()
    page.feed(response.content.decode())
    page.close()
    page.sent.pop("csrfmiddlewaretoken", None)
    return Form(client, address, response, dict(page.sent), page.buttons, page)


def open_form(client: Client, word: str, identifier: str, question: str = "") -> Form:
    """The form of a record; it must be there."""
    address = f"/edit/{word}/{identifier}/"
    response = client.get(address + question)
    assert response.status_code == 200, response.content.decode()[:2000]
    return form_of(client, address, response)
