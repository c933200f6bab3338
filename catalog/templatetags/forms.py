"""The fields of a form in its page."""

from __future__ import annotations

from django import template
from django.utils.safestring import SafeString

from catalog.editing import markup
from catalog.editing.drawn import Drawn

register = template.Library()


@register.filter
def field(drawn: Drawn) -> SafeString:
    """One field of a form, with all that is inside."""
    return markup.field(drawn)
