"""Tokens for programs: service state; `reindex` never touches it."""

from __future__ import annotations

from django.conf import settings
from django.db import models


class Token(models.Model):
    """Lets a program act as an account. Only a hash is kept: the token itself is shown once, when it is made."""

    user = models.ForeignKey(settings.AUTH_USER_MODEL, models.CASCADE, related_name="tokens")
    name = models.CharField(max_length=100, help_text="What it is for")
    sha256 = models.CharField(max_length=64, unique=True)
    made = models.DateTimeField(auto_now_add=True)
    used = models.DateTimeField(null=True, help_text="When it was shown last, to a minute")

    class Meta:
        constraints = (models.UniqueConstraint(fields=("user", "name"), name="token_name_once"),)

    def __str__(self) -> str:
        return f"{self.user}: {self.name}"
