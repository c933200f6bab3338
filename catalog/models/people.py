"""Who people are and what they may: service state, with its own backup; `reindex` never touches it."""

from __future__ import annotations

from django.conf import settings
from django.db import models


class Role(models.TextChoices):
    """What an account may on every project; an administrator is Django's superuser."""

    MEMBER = "member", "member: only the projects they are added to"
    VIEWER = "viewer", "viewer: sees every record, changes none"
    CURATOR = "curator", "curator: sees and changes every record, and works in the admin"


class ProjectRole(models.TextChoices):
    """What an account may on one project, beyond its role everywhere."""

    VIEWER = "viewer", "viewer: sees the project"
    RESEARCHER = "researcher", "researcher: sees and changes the project, its datasets and runs"


class Profile(models.Model):
    """What an account says of the person behind it: fills "me" in forms."""

    user = models.OneToOneField(settings.AUTH_USER_MODEL, models.CASCADE, related_name="profile")
    role = models.CharField(max_length=16, choices=Role, default=Role.VIEWER)
    name = models.CharField(max_length=200, blank=True, help_text="As it should be shown")
    given_name = models.CharField(max_length=200, blank=True)
    family_name = models.CharField(max_length=200, blank=True)
    orcid = models.CharField(max_length=64, blank=True, help_text="https IRI")
    email = models.EmailField(blank=True)
    affiliation = models.CharField(max_length=300, blank=True)
    affiliation_ror = models.CharField(max_length=64, blank=True, help_text="https IRI")

    def __str__(self) -> str:
        return self.name or str(self.user)


class Membership(models.Model):
    """An account's part in one project, named by the project's own identifier: it survives `reindex`."""

    user = models.ForeignKey(settings.AUTH_USER_MODEL, models.CASCADE, related_name="memberships")
    project_identifier = models.CharField(max_length=36, db_index=True)
    role = models.CharField(max_length=16, choices=ProjectRole, default=ProjectRole.RESEARCHER)

    class Meta:
        constraints = (models.UniqueConstraint(fields=("user", "project_identifier"), name="membership_once"),)

    def __str__(self) -> str:
        return f"{self.user}: {self.role} of {self.project_identifier}"
