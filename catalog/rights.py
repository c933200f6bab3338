"""Who may what: the one place that decides it, asked by pages, forms and admin alike.

Roles everywhere stand in :class:`catalog.models.people.Profile`, roles on one project in
:class:`catalog.models.people.Membership`; Django's superuser is the administrator. An account without a profile is a
viewer. Whoever may not see a record gets the same answer as for one that is not there: a page takes its rows from
:meth:`Rights.projects`, :meth:`Rights.datasets`, :meth:`Rights.files` or :meth:`Rights.runs`, and what is not among
them is not found.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from django.contrib.auth.models import AbstractBaseUser, AnonymousUser, User
from django.db.models import QuerySet
from django.http import HttpRequest
from django.utils.functional import SimpleLazyObject

from catalog.models import Dataset, File, Project, Published, Run
from catalog.models.people import Membership, Profile, ProjectRole, Role

_OF_REQUEST = "_fairfolder_rights"


@dataclass(frozen=True)
class Rights:
    """What one account may, as it stands in the database at one moment."""

    role: str = Role.MEMBER
    administers: bool = False
    projects_joined: Mapping[str, str] = field(default_factory=dict)  # identifier → role there

    @property
    def curates(self) -> bool:
        """Whether it changes every record, and says who belongs to a project."""
        return self.administers or self.role == Role.CURATOR

    @property
    def sees_all(self) -> bool:
        """Whether it sees every record, and how the service does."""
        return self.curates or self.role == Role.VIEWER

    def sees(self, project_identifier: str) -> bool:
        """Whether it sees a project, its datasets, runs and files."""
        return self.sees_all or project_identifier in self.projects_joined

    def edits(self, project_identifier: str) -> bool:
        """Whether it changes a project, its datasets and runs."""
        return self.curates or self.projects_joined.get(project_identifier) == ProjectRole.RESEARCHER

    @property
    def publishes(self) -> bool:
        """Whether it makes datasets public, and takes them back."""
        return self.curates

    @property
    def edits_somewhere(self) -> bool:
        """Whether it changes anything: then it may add an instrument, and complete one that is a draft."""
        return self.curates or ProjectRole.RESEARCHER in self.projects_joined.values()

    @property
    def asks_every_record(self) -> bool:
        """Whether its tokens ask the graph of all records, published or not."""
        return self.curates

    # The rows that `sees` lets through; every page and every list begins with one of these.

    def projects(self) -> QuerySet[Project]:
        return Project.objects.all() if self.sees_all else Project.objects.filter(identifier__in=self.projects_joined)

    def datasets(self) -> QuerySet[Dataset]:
        rows = Dataset.objects.all()
        return rows if self.sees_all else rows.filter(project_identifier__in=self.projects_joined)

    def files(self) -> QuerySet[File]:
        rows = File.objects.all()
        return rows if self.sees_all else rows.filter(dataset__project_identifier__in=self.projects_joined)

    def runs(self) -> QuerySet[Run]:
        rows = Run.objects.all()
        return rows if self.sees_all else rows.filter(dataset_identifier__in=self.datasets().values("identifier"))


NOBODY = Rights()


def published() -> QuerySet[Published]:
    """The records that anybody sees, signed in or not; only what is public has a row."""
    return Published.objects.all()


def gives_data(record: Published) -> bool:
    """Whether anybody may have the files of a public record."""
    return record.state == "published" and record.access_level == "public"


def of(user: AbstractBaseUser | AnonymousUser) -> Rights:
    """The rights of an account; nobody's when no one is signed in, or the account was closed."""
    if not isinstance(user, User) or not user.is_active:
        return NOBODY
    joined = Membership.objects.filter(user=user).exclude(project_identifier="")
    return Rights(role_of(user), user.is_superuser, dict(joined.values_list("project_identifier", "role")))


def role_of(user: User) -> str:
    """The role everywhere, as the account's profile has it."""
    profile: Profile | None = getattr(user, "profile", None)  # an account may have none
    return (profile.role if profile is not None else "") or Role.VIEWER


def of_request(request: HttpRequest) -> Rights:
    """The rights of whoever asks, read once for each request."""
    known: Rights | None = getattr(request, _OF_REQUEST, None)
    if known is None:
        known = of(request.user)
        setattr(request, _OF_REQUEST, known)
    return known


def in_templates(request: HttpRequest) -> Mapping[str, object]:
    """A context processor: ``rights`` in every template, read only where one looks."""
    return {"rights": SimpleLazyObject(lambda: of_request(request))}
