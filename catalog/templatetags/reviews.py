"""A record's review as a part of any page."""

from __future__ import annotations

from typing import Any

from django import template

from catalog import rights
from catalog.editing import reviews, targets
from catalog.models.work import ReviewState

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


@register.inclusion_tag("catalog/forms/review_notice.html")
def review_notice(word: str, identifier: str) -> dict[str, Any]:
    """What a record's page says of its review: that it waits, or was returned and why; nothing otherwise."""
    found = reviews.latest_of(targets.KINDS[word], str(identifier))
    is_returned = found is not None and found.state == ReviewState.RETURNED
    said = found.comments.last() if found is not None and is_returned else None
    return {"word": word, "identifier": identifier, "review": found, "said": said}
