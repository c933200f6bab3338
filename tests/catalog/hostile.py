"""Texts that try to break out of a page, and a reader of pages that notices when one did."""

from __future__ import annotations

from html.parser import HTMLParser

from django.test import Client

CORPUS = (
    "<script>alert(1)</script>",
    "</title><script>alert(1)</script>",
    "</script><script>alert(1)//",
    "<!--<script>",
    "-->]]>",
    '"><img src=x onerror=alert(1)>',
    "' onmouseover='alert(1)",
    '" autofocus onfocus="alert(1)',
    "<svg/onload=alert(1)>",
    "<iframe src=javascript:alert(1)>",
    "<style>@import'//evil'</style>",
    "<base href=//evil>",
    "<meta http-equiv=refresh content=0;url=//evil>",
    "javascript:alert(1)",
    "JaVaScRiPt:alert(1)",
    "java\tscript:alert(1)",
    "data:text/html,<script>alert(1)</script>",
    "https://evil.example/\"onclick='alert(1)'",
    "https://evil.example/<script>",
    "//evil.example/",
    "vbscript:msgbox(1)",
    "{{ 7|add:7 }}{% debug %}",
    "{{request.user.password}}",
    "&lt;script&gt;alert(1)&lt;/script&gt;",
    "\u202egnp.exe",
    "a\u2066b\u2069c\u200b\u200e\ufeff",
    "\x00\x01\x1b[31mred\x7f\x85",
    "new\nline\r\ttab",
    "🦠👩‍🔬🇧🇪",
    "\u0301" * 300,
    "x" * 5_000,
    "%3Cscript%3E%00%ff",
    "ＡＢ＜script＞",
)
VOID = {"meta", "link", "img", "input", "br", "wbr", "hr"}
TAGS = VOID | {
    "html", "head", "title", "body", "a", "header", "div", "nav", "ul", "ol", "li", "form", "span", "button", "main",
    "p", "footer", "code", "h1", "h2", "h3", "label", "select", "option", "table", "thead", "tbody", "tr", "th", "td",
    "dl", "dt", "dd", "time", "data", "bdi", "pre", "details", "summary", "section", "strong", "figure", "figcaption",
    "caption", "svg", "g", "rect", "text", "desc", "line", "path", "defs", "marker", "textarea",
    "fieldset", "legend", "datalist", "progress", "output", "aside", "noscript",
}  # fmt: skip
LINKS = {"href", "src", "action"}
# Direction marks and controls that would change how the page around them reads.
INVISIBLE = set("\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069\x00\x01\x1b")


class Page(HTMLParser):
    """Collects what a page must not hold: foreign tags, handlers, addresses that run, styles."""

    def __init__(self, html: str) -> None:
        super().__init__(convert_charrefs=True)
        self.wrong: list[str] = []
        self.open: list[str] = []
        self.text: list[str] = []
        self.feed(html)
        self.close()
        if self.open:
            self.wrong.append(f"never closed: {self.open}")

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        own_script = tag == "script" and (dict(attrs).get("src") or "").startswith("/static/")
        if tag not in TAGS and not own_script:
            self.wrong.append(f"<{tag}>")
        if tag not in VOID:
            self.open.append(tag)
        for name, value in attrs:
            if name.startswith("on") or name in {"style", "srcdoc", "formaction", "http-equiv"}:
                self.wrong.append(f"{name} on <{tag}>")
            if name in LINKS and not (value or "").startswith(("/", "?", "#", "http://", "https://")):
                self.wrong.append(f"{name}={value!r}")

    def handle_endtag(self, tag: str) -> None:
        if not self.open or self.open.pop() != tag:
            self.wrong.append(f"misplaced </{tag}>")

    def handle_data(self, data: str) -> None:
        if self.open[-1:] == ["script"] and data.strip():
            self.wrong.append("a script within the page")
        self.text.append(data)
        if {"time", "dd", "textarea"} & set(self.open):  # what is typed stands as it is where it is typed
            return
        self.wrong += [f"U+{ord(c):04X} in the text" for c in sorted(INVISIBLE & set(data))]

    @property
    def words(self) -> str:
        return " ".join(" ".join(self.text).split())


def see(client: Client, address: str, status: int = 200) -> Page:
    """The page at an address, which must be whole and harmless."""
    response = client.get(address)
    assert response.status_code == status, address
    page = Page(response.content.decode())
    assert page.wrong == [], address
    return page
