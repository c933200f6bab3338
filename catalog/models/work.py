"""Work in progress of people: unsaved forms, reviews, bulk changes. Service state; `reindex` never touches it."""

from __future__ import annotations

from django.conf import settings
from django.db import models


class UnsavedForm(models.Model):
    """What someone typed into a form and has not saved, half-typed values included; the record knows nothing of it."""

    user = models.ForeignKey(settings.AUTH_USER_MODEL, models.CASCADE, related_name="+")
    root = models.TextField(help_text="Watched folder, absolute")
    document = models.TextField(help_text="Path of the document below it, as the index names it")
    opening = models.CharField(max_length=32, help_text="Which opening of the form: two tabs are two")
    posted = models.JSONField(help_text="Name of each input → its values")
    saved = models.DateTimeField(auto_now=True)

    class Meta:
        constraints = (
            models.UniqueConstraint(fields=("user", "root", "document", "opening"), name="unsaved_form_once"),
        )

    def __str__(self) -> str:
        return f"{self.user}: {self.document}"


class ReviewState(models.TextChoices):
    READY = "ready", "ready for review"
    ACCEPTED = "accepted", "accepted"
    RETURNED = "returned", "returned"


class Review(models.Model):
    """A request that a curator looks at a record, and what came of it."""

    kind = models.CharField(max_length=32, help_text="Kind of document")
    identifier = models.CharField(max_length=36, db_index=True, help_text="Of the record")
    project_identifier = models.CharField(max_length=36, blank=True, db_index=True)
    title = models.TextField(blank=True, help_text="Of the record when it was sent")
    etag = models.CharField(max_length=16, help_text="Of the version that was sent, then accepted")
    state = models.CharField(max_length=16, choices=ReviewState, default=ReviewState.READY, db_index=True)
    asked_by = models.ForeignKey(settings.AUTH_USER_MODEL, models.SET_NULL, null=True, related_name="+")
    asked = models.DateTimeField(auto_now_add=True)
    decided_by = models.ForeignKey(settings.AUTH_USER_MODEL, models.SET_NULL, null=True, blank=True, related_name="+")
    decided = models.DateTimeField(null=True, blank=True)

    class Meta:
        constraints = (
            models.UniqueConstraint(
                fields=("kind", "identifier"), condition=models.Q(state="ready"), name="one_open_review"
            ),
        )

    def __str__(self) -> str:
        return f"{self.title or self.identifier}: {self.get_state_display()}"


class ReviewComment(models.Model):
    """A remark on a review."""

    review = models.ForeignKey(Review, models.CASCADE, related_name="comments")
    author = models.ForeignKey(settings.AUTH_USER_MODEL, models.SET_NULL, null=True, related_name="+")
    written = models.DateTimeField(auto_now_add=True)
    text = models.TextField()

    class Meta:
        ordering = ("written", "pk")

    def __str__(self) -> str:
        return self.text[:60]


class BulkChange(models.Model):
    """One change of chosen fields over many records, with what stood there before, so that it can be taken back."""

    words = models.TextField(help_text="What was done, for people")
    made_by = models.ForeignKey(settings.AUTH_USER_MODEL, models.SET_NULL, null=True, related_name="+")
    made = models.DateTimeField(auto_now_add=True)
    undone_by = models.ForeignKey(settings.AUTH_USER_MODEL, models.SET_NULL, null=True, blank=True, related_name="+")
    undone = models.DateTimeField(null=True, blank=True)
    changes = models.JSONField(help_text="Of each document: root, path, kind, identifier, before and after by key")
    left_out = models.JSONField(default=list, help_text="Of each document that was not changed: title and why")
    not_undone = models.JSONField(default=list, help_text="The same, of those that could not be taken back")

    def __str__(self) -> str:
        return self.words


class PlannedChange(models.Model):
    """A bulk change that is being prepared: the records chosen, then the preview somebody has seen."""

    made_by = models.ForeignKey(settings.AUTH_USER_MODEL, models.CASCADE, related_name="+")
    made = models.DateTimeField(auto_now_add=True)
    word = models.CharField(max_length=16, help_text="Kind of document, as in addresses")
    identifiers = models.JSONField(help_text="Of the records, in the order of the list")
    answers = models.TextField(blank=True, help_text="What was ticked and typed so far, as a form sends it")
    words = models.TextField(blank=True, help_text="What will be done, for people")
    remarks = models.JSONField(default=list, help_text="What else there is to say, one sentence each")
    rows = models.JSONField(null=True, help_text="The preview: see catalog.editing.bulk.Planned")
    applied = models.DateTimeField(null=True)

    def __str__(self) -> str:
        return self.words or f"{len(self.identifiers)} records"
