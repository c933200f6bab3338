"""What pages say of the history of a record: who changed it, and where its versions are listed."""

from __future__ import annotations

from django import template
from django.urls import reverse
from django.utils.html import format_html
from django.utils.safestring import SafeString

from catalog import names, words
from catalog.history.who import spoken, told_as
from catalog.models import Instrument, Project, Record, Run

register = template.Library()


@register.filter
def who(by: object) -> SafeString:
    """Whoever made a change, as people call them."""
    return names.prose(spoken(str(by)))


@register.filter
def instant(value: object) -> SafeString | str:
    """A time to the second: several versions may be of one minute."""
    time = words.parsed(value)
    if time is None:
        return ""
    return format_html('<time datetime="{}">{}</time>', words.exact(time), words.instant(time))


@register.filter
def led_to_by(trigger: object) -> str:
    """What made a version come about, in words; one that several things did names them all."""
    return ", ".join(told_as(each) for each in str(trigger).split(", "))


@register.filter
def history_url(record: Record | Run | Instrument, word: str = "") -> str:
    """The address of a record's history; ``word`` where a record has more than one document."""
    kinds = {Project: "project", Run: "run", Instrument: "instrument"}
    word = word or next((each for model, each in kinds.items() if isinstance(record, model)), "dataset")
    return reverse("history", args=[word, record.identifier])
