"""Who may what: the one place that decides it, asked by pages, forms and admin alike.

Roles everywhere stand in :class:`catalog.models.people.Profile`, roles on one project in
:class:`catalog.models.people.Membership`; Django's superuser is the administrator. An account without a profile is a
viewer. Whoever may not see a record gets the same answer as for one that is not there.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from django.contrib.auth.models import AbstractBaseUser, AnonymousUser, User

from catalog.models.people import Membership, Profile, ProjectRole, Role


@dataclass(frozen=True)
class Rights:
    """What one account may, as it stands in the database at one moment."""

    role: str = Role.MEMBER
    administers: bool = False
    projects: Mapping[str, str] = field(default_factory=dict)  # identifier → role there

    @property
    def curates(self) -> bool:
        """Whether it changes every record."""
        return self.administers or self.role == Role.CURATOR

    @property
    def sees_all(self) -> bool:
        """Whether it sees every record."""
        return self.curates or self.role == Role.VIEWER

    def sees(self, project_identifier: str) -> bool:
        """Whether it sees a project, its datasets, runs and files."""
        return self.sees_all or project_identifier in self.projects

    def edits(self, project_identifier: str) -> bool:
        """Whether it changes a project, its datasets and runs."""
        return self.curates or self.projects.get(project_identifier) == ProjectRole.RESEARCHER

    @property
    def edits_somewhere(self) -> bool:
        """Whether it changes anything: then it may add an instrument, and complete one that is a draft."""
        return self.curates or ProjectRole.RESEARCHER in self.projects.values()


NOBODY = Rights()


def of(user: AbstractBaseUser | AnonymousUser) -> Rights:
    """The rights of whoever is signed in; nobody's when no one is, or the account was closed."""
    if not isinstance(user, User) or not user.is_active:
        return NOBODY
    role = Profile.objects.filter(user=user).values_list("role", flat=True).first() or Role.VIEWER
    projects = dict(Membership.objects.filter(user=user).values_list("project_identifier", "role"))
    return Rights(role, user.is_superuser, projects)
