"""Tables: the index, which can be dropped and rebuilt (``index``), and service state, which cannot (the others)."""

from catalog.models.index import (
    ChangeLog,
    Dataset,
    Document,
    File,
    FileDocument,
    Instrument,
    Project,
    Published,
    PublishedThing,
    Rebuild,
    Record,
    Run,
    value_of,
)
from catalog.models.people import Membership, Profile
from catalog.models.tokens import Token
from catalog.models.work import BulkChange, PlannedChange, Review, ReviewComment, UnsavedForm

__all__ = [
    "BulkChange",
    "ChangeLog",
    "Dataset",
    "Document",
    "File",
    "FileDocument",
    "Instrument",
    "Membership",
    "PlannedChange",
    "Profile",
    "Project",
    "Published",
    "PublishedThing",
    "Rebuild",
    "Record",
    "Review",
    "ReviewComment",
    "Run",
    "Token",
    "UnsavedForm",
    "value_of",
]
