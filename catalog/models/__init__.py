"""Tables: the index, which can be dropped and rebuilt (``index``), and service state, which cannot (the others)."""

from catalog.models.index import (
    ChangeLog,
    Dataset,
    Document,
    File,
    FileDocument,
    Instrument,
    Project,
    Rebuild,
    Record,
    Run,
    value_of,
)
from catalog.models.people import Membership, Profile
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
    "Rebuild",
    "Record",
    "Review",
    "ReviewComment",
    "Run",
    "UnsavedForm",
    "value_of",
]
