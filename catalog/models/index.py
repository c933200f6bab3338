"""The index: rows that mirror the metadata documents and can be dropped and rebuilt from them at any time.

Only :mod:`catalog.index` writes these tables. Rows are joined by the documents' own identifiers, so that documents may
come and go in any order; surrogate keys hold for one database only.
"""

from __future__ import annotations

from typing import Any

from django.db import models


class Document(models.Model):
    """One metadata file as last read; a broken one keeps its row, with the reason and without a value."""

    root = models.TextField(help_text="Watched folder, absolute")
    path = models.TextField(help_text="Relative to the watched folder")
    path_encoding = models.TextField(blank=True)
    kind = models.CharField(max_length=32, db_index=True)
    identifier = models.CharField(max_length=36, blank=True, db_index=True)
    sha256 = models.CharField(max_length=64, blank=True)
    size_bytes = models.BigIntegerField(default=0)
    problem = models.TextField(blank=True)
    value = models.JSONField(null=True, help_text="A manifest without its file descriptions")
    stamp = models.CharField(max_length=96, blank=True, help_text="What stat said when it was read")

    class Meta:
        constraints = (models.UniqueConstraint(fields=("root", "path", "path_encoding"), name="document_place"),)

    def __str__(self) -> str:
        return self.path


def value_of(document: Document | None) -> dict[str, Any]:
    """What a document says; nothing when there is none, or it is broken."""
    return document.value if document is not None and isinstance(document.value, dict) else {}


class Record(models.Model):
    """What a project and a dataset share: identity, place, and the state their registry entry tells."""

    identifier = models.CharField(max_length=36, unique=True)
    root = models.TextField(blank=True)
    path = models.TextField(blank=True, help_text="Folder, relative to the watched folder")
    path_encoding = models.TextField(blank=True)
    title = models.TextField(blank=True)
    status = models.TextField(blank=True, db_index=True, help_text="draft or complete")
    state = models.TextField(db_index=True, help_text="present, missing or tombstone")
    modified = models.DateTimeField(null=True, help_text="Last change of the record, not of the data")
    sequence = models.BigIntegerField(default=0)
    problem = models.TextField(blank=True, help_text="What the documents together do not make clear")
    registry = models.ForeignKey(
        Document, models.SET_NULL, null=True, related_name="+", db_constraint=False, help_text="Registry entry"
    )

    class Meta:
        abstract = True

    def __str__(self) -> str:
        return self.title or self.path or self.identifier


class Project(Record):
    """A project folder."""

    document = models.ForeignKey(Document, models.SET_NULL, null=True, related_name="+", db_constraint=False)


class Dataset(Record):
    """A dataset folder with its administrative document and its manifest."""

    project_identifier = models.TextField(blank=True, db_index=True)
    access_level = models.TextField(blank=True)
    license = models.TextField(blank=True)
    file_count = models.BigIntegerField(default=0)
    size_bytes = models.BigIntegerField(default=0)
    administrative = models.ForeignKey(Document, models.SET_NULL, null=True, related_name="+", db_constraint=False)
    structural = models.ForeignKey(Document, models.SET_NULL, null=True, related_name="+", db_constraint=False)
    manifest_problem = models.TextField(blank=True, help_text="What is wrong with its file entries")
    manifest_sha256 = models.CharField(max_length=64, blank=True, help_text="Manifest the files were taken from")


class File(models.Model):
    """One data file as its dataset's manifest describes it; narrow, so that 100,000 of them are scanned quickly."""

    # Given by the index: an automatic key costs one more write for each row.
    id = models.IntegerField(primary_key=True)
    dataset = models.ForeignKey(Dataset, models.CASCADE, db_constraint=False, db_index=False, related_name="files")
    digest = models.BigIntegerField(help_text="First 8 bytes of the SHA-256 of its manifest line")
    identifier = models.CharField(max_length=36, db_index=True)
    path = models.TextField(help_text="Relative to the dataset")
    path_encoding = models.TextField(blank=True)
    size_bytes = models.BigIntegerField()
    mime_type = models.TextField(blank=True)
    format = models.TextField(blank=True)
    checksum = models.TextField(blank=True, help_text="SHA-256")
    modified = models.DateTimeField(null=True)
    first_seen = models.DateTimeField(null=True)
    state = models.TextField(help_text="present, missing or changed")
    version = models.TextField(help_text="V1 or V2")
    run = models.TextField(blank=True, db_default="", help_text="Identifier of the run it belongs to")

    class Meta:
        indexes = (
            models.Index(fields=("dataset", "path"), name="file_dataset_path"),
            # Only of files that belong to one: a file without a run costs no entry.
            models.Index(fields=("run",), condition=~models.Q(run=""), name="file_run"),
        )

    def __str__(self) -> str:
        return self.path


class FileDocument(models.Model):
    """The whole entry of a file as JSON text, apart from :class:`File` so that scans do not read it."""

    file = models.OneToOneField(File, models.CASCADE, primary_key=True, db_constraint=False, related_name="document")
    text = models.TextField()

    def __str__(self) -> str:
        return str(self.file_id)


class Instrument(models.Model):
    """An instrument's static description (PIDINST)."""

    identifier = models.CharField(max_length=36, unique=True)
    name = models.TextField(blank=True)
    serial_number = models.TextField(blank=True)
    status = models.TextField(blank=True, db_index=True)
    document = models.ForeignKey(Document, models.SET_NULL, null=True, related_name="+", db_constraint=False)

    def __str__(self) -> str:
        return self.name or self.identifier


class Run(models.Model):
    """An experiment run and its context."""

    identifier = models.CharField(max_length=36, unique=True)
    dataset_identifier = models.TextField(blank=True, db_index=True)
    label = models.TextField(blank=True)
    name = models.TextField(blank=True)
    run_type = models.TextField(blank=True)
    status = models.TextField(blank=True, db_index=True)
    revision = models.IntegerField(default=0, help_text="Of its complete metadata file; 0 before the first")
    complete_metadata = models.TextField(blank=True, help_text="That file, relative to the dataset")
    finalized = models.DateTimeField(null=True)
    outdated = models.JSONField(default=list, help_text="What changed since, in words")
    outdated_files = models.JSONField(default=list, help_text="What of it is said of the run's files")
    compared = models.CharField(max_length=64, blank=True, help_text="SHA-256 of the file they were compared with")
    document = models.ForeignKey(Document, models.SET_NULL, null=True, related_name="+", db_constraint=False)

    def __str__(self) -> str:
        return self.name or self.label or self.identifier


class ChangeLog(models.Model):
    """The latest change of each project and dataset, from its registry entry: what harvesters and indexers follow."""

    root = models.TextField()
    sequence = models.BigIntegerField()
    kind = models.TextField()
    identifier = models.CharField(max_length=36, unique=True)
    datestamp = models.DateTimeField(null=True, db_index=True)
    action = models.TextField(help_text="State and who or what changed it")

    class Meta:
        indexes = (models.Index(fields=("root", "sequence"), name="changelog_sequence"),)
        verbose_name = "change"
        verbose_name_plural = "change log"

    def __str__(self) -> str:
        return f"{self.sequence} {self.kind} {self.identifier}"


class Published(models.Model):
    """What the public may see of a dataset that is or was published, and nothing else: all public pages read this."""

    identifier = models.CharField(max_length=36, unique=True, help_text="Of the dataset")
    state = models.CharField(max_length=16, db_index=True, help_text="published, or withdrawn: a tombstone")
    access_level = models.CharField(max_length=16, help_text="As it holds now")
    embargo_end = models.DateField(null=True, db_index=True, help_text="Of an embargo that is not over")
    title = models.TextField(blank=True)
    modified = models.DateTimeField(db_index=True, help_text="Last change of what is public")
    version = models.TextField(blank=True)
    previous_version = models.TextField(blank=True, help_text="IRI")
    doi = models.TextField(blank=True)
    etag = models.CharField(max_length=64, help_text="SHA-256 of what is public, files included")
    sequence = models.BigIntegerField(default=0, help_text="Of the registry entry")
    size_bytes = models.BigIntegerField(default=0)
    file_count = models.BigIntegerField(default=0)
    value = models.JSONField(help_text="The public document; of very many files it names the data objects only")
    basis = models.CharField(max_length=64, help_text="SHA-256 of all it was made from")
    last_level = models.CharField(
        max_length=16, blank=True, default="", help_text="Access level its record said when it was read last"
    )
    words = models.TextField(
        blank=True, default="", help_text="Title, abstract and keywords, folded: what a search looks through"
    )

    class Meta:
        verbose_name_plural = "published"

    def __str__(self) -> str:
        return self.title or self.identifier


class PublishedThing(models.Model):
    """A thing that a public record names, so that its IRI leads to the record; one that several name has several rows.

    A file's row holds its public description, also where the record is too large to list it.
    """

    record = models.CharField(max_length=36, help_text="Identifier of the dataset")
    kind = models.CharField(max_length=16, help_text="As in its IRI: file, run, dataobject, instrument, project, agent")
    identifier = models.CharField(max_length=36)
    position = models.BigIntegerField(default=0, help_text="Its place in the record")
    value = models.JSONField(null=True, help_text="Of a file")
    run = models.CharField(max_length=36, blank=True, db_default="", help_text="Of a file: the run that made it")

    class Meta:
        indexes = (
            models.Index(fields=("kind", "identifier"), name="published_thing"),
            models.Index(fields=("record", "kind", "run", "position"), name="published_thing_run"),
            models.Index(fields=("record", "kind", "position"), name="published_thing_record"),
        )

    def __str__(self) -> str:
        return f"{self.kind} {self.identifier}"


class Rebuild(models.Model):
    """Present only while the index is being rebuilt, so that pages can say that they are not complete."""

    started = models.DateTimeField()
    done = models.BigIntegerField(default=0, help_text="Documents")

    def __str__(self) -> str:
        return f"since {self.started:%Y-%m-%d %H:%M} UTC"
