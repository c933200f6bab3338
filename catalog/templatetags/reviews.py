"""A record's review as a part of any page."""

from __future__ import annotations

from typing import Any

from django import template

from catalog import rights
from catalog.editing import reviews, targets

register = template.Library()


@register.inclusion_tag("catalog/forms/review.html", takes_context=True)
def review(context: template.Context, word: str, identifier: str) -> dict[str, Any]:
    """State, comments and the buttons this person may press; nothing where there is nothing to say."""
    request = context["request"]
    by = rights.of_request(request)
    target = targets.find(word, str(identifier))
    standing = reviews.standing(target, by) if target is not None and target.may_be_seen(by) else None
    return {
        "target": target,
        "review": standing,
        "back": request.get_full_path(),
        "csrf_token": context.get("csrf_token"),
    }
