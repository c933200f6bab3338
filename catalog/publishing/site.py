"""Who publishes: what the service says of itself in public."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from django.conf import settings


@dataclass(frozen=True)
class Site:
    """The catalog as a whole; ``base_url`` has no slash at its end."""

    base_url: str
    title: str
    description: str
    publisher_name: str
    publisher_iri: str
    language: str
    theme_iri: str
    contact_email: str


def site() -> Site:
    """The catalog as the settings describe it."""
    publisher: Mapping[str, Any] = settings.ENGINE.publisher or {}
    return Site(
        base_url=settings.FAIRFOLDER_BASE_URL,
        title=settings.FAIRFOLDER_CATALOG_TITLE,
        description=settings.FAIRFOLDER_CATALOG_DESCRIPTION,
        publisher_name=str(publisher.get("name") or settings.FAIRFOLDER_CATALOG_TITLE),
        publisher_iri=_iri_of(publisher),
        language=settings.ENGINE.metadata_language,
        theme_iri=settings.FAIRFOLDER_CATALOG_THEME,
        contact_email=settings.FAIRFOLDER_CATALOG_EMAIL,
    )


def has_sparql() -> bool:
    """Whether ``/sparql`` answers, so that pages lead there."""
    return bool(settings.FAIRFOLDER_SPARQL)


def _iri_of(publisher: Mapping[str, Any]) -> str:
    """The world's own name of the publisher; where there is none, a name in the catalog."""
    for key in ("@id", "ror", "url"):
        value = publisher.get(key)
        if isinstance(value, str) and value.startswith(("https://", "http://")):
            return value
    return f"{settings.FAIRFOLDER_BASE_URL}/id/catalog#publisher"
