"""Filters of the page templates."""

from __future__ import annotations

from django import template
from django.http import QueryDict
from django.utils.html import format_html
from django.utils.safestring import SafeString

from catalog import names, words
from catalog.models import Record

register = template.Library()


@register.filter
def name(text: object) -> SafeString:
    """A file's or folder's name, readable and harmless."""
    return names.marked(str(text))


@register.filter
def prose(text: object) -> SafeString:
    """A person's or the engine's text, harmless."""
    return names.prose(str(text))


@register.filter
def plain(text: object) -> str:
    """A name for places that take no markup, such as the page's title."""
    return names.plain(str(text))


@register.filter
def place(path: str) -> SafeString:
    """A path whose last step stands out."""
    folder, slash, last = path.rpartition("/")
    if not slash:
        return names.marked(last)
    return format_html('<span class="folder">{}</span><wbr>{}', names.marked(folder + slash), names.marked(last))


@register.filter
def named(record: Record) -> SafeString:
    """What a project or dataset is called: its title, else its folder, else its identifier."""
    if record.title.strip():
        return names.prose(record.title)
    return names.marked(record.path.rpartition("/")[2] or record.identifier)


@register.filter
def step(path: str) -> SafeString:
    """The last step of a path."""
    return names.marked(path.rpartition("/")[2])


@register.filter
def duration(seconds: object) -> str:
    return words.duration(seconds) if isinstance(seconds, int | float) else ""


@register.filter
def size(number: object) -> SafeString | str:
    """A size in words, its bytes on hovering."""
    if not isinstance(number, int):
        return ""
    return format_html('<data value="{}" title="{} bytes">{}</data>', number, words.count(number), words.size(number))


@register.filter
def count(number: object) -> str:
    return words.count(number) if isinstance(number, int) else ""


@register.filter
def moment(value: object) -> SafeString | str:
    """A time to the minute, in full on hovering."""
    time = words.parsed(value)
    if time is None:
        return ""
    return format_html('<time datetime="{0}" title="{0}">{1}</time>', words.exact(time), words.moment(time))


@register.filter
def day(value: object) -> str:
    """A time to the day."""
    time = words.parsed(value)
    return words.day(time) if time is not None else ""


@register.filter
def spaced(word: object) -> str:
    """A word of the schemas as people write it."""
    return str(word).replace("_", " ")


@register.filter
def sentences(several: object) -> str:
    """Several sentences as one harmless text."""
    return names.plain(" ".join(each for each in several if isinstance(each, str))) if isinstance(several, list) else ""


@register.filter
def badge(word: str) -> SafeString | str:
    """A state or status as a small labelled mark."""
    if not word:
        return ""
    tone = TONES.get(word, "plain")
    return format_html('<span class="badge {}">{}</span>', tone, names.plain(word))


TONES = {
    "present": "calm",
    "described": "good",
    "complete": "good",
    "published": "good",
    "withdrawn": "bad",
    "draft": "plain",
    "pending": "wait",
    "changed": "wait",
    "missing": "bad",
    "tombstone": "bad",
    "failed": "bad",
    "unreadable": "bad",
}


@register.simple_tag(takes_context=True)
def asking(context: template.Context, **changes: object) -> str:
    """The present address's question with some parameters changed; an empty value leaves one out."""
    question: QueryDict = context["request"].GET.copy()
    for key, value in changes.items():
        if value in ("", None):
            question.pop(key, None)
        else:
            question[key] = str(value)
    return f"?{question.urlencode()}"
