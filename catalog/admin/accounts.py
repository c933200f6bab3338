"""Accounts in the admin, for administrators only: each with its role and its part in projects."""

from __future__ import annotations

from functools import cache
from typing import Any

from django import forms
from django.contrib import admin
from django.contrib.auth.admin import UserAdmin
from django.contrib.auth.forms import AdminUserCreationForm, UserChangeForm
from django.contrib.auth.models import Group, User
from django.core.exceptions import ValidationError
from django.db.models import Model, QuerySet
from django.http import HttpRequest
from django_otp.plugins.otp_static import admin as static_admin  # noqa: F401  (registers before we take it back)
from django_otp.plugins.otp_static.models import StaticDevice
from django_otp.plugins.otp_totp import admin as totp_admin  # noqa: F401  (the same)
from django_otp.plugins.otp_totp.models import TOTPDevice

from catalog import accounts, rights
from catalog.models import Project
from catalog.models.people import Membership, Role

_ROLES = (*Role.choices, (accounts.ADMIN, "administrator: does everything, also manages accounts"))

# Roles are ours, and nobody looks at the secrets of another's second factor.
for model in (User, Group, StaticDevice, TOTPDevice):
    admin.site.unregister(model)


class _NamedForm(forms.Form):
    """The names the history gives to what no person did are nobody's."""

    def clean_username(self) -> str:
        inherited = getattr(super(), "clean_username", None)
        name = str(inherited() if inherited is not None else self.cleaned_data["username"])
        if why := accounts.reserved(name):
            raise ValidationError(why)
        return name


class NewAccount(_NamedForm, AdminUserCreationForm):  # type: ignore[type-arg]
    """No role is chosen beforehand."""

    role = forms.ChoiceField(
        choices=[("", "Choose…"), *_ROLES],
        error_messages={"required": "Choose a role: it decides what the account sees and may change."},
    )


class ChangedAccount(_NamedForm, UserChangeForm):  # type: ignore[type-arg]
    role = forms.ChoiceField(choices=_ROLES)

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["role"].initial = accounts.role_of(self.instance)

    def clean(self) -> dict[str, Any]:
        given = super().clean() or self.cleaned_data
        stays = given.get("role") == accounts.ADMIN and given.get("is_active")
        if not stays and accounts.is_last_administrator(self.instance):
            raise ValidationError(
                f"{self.instance.username} is the last administrator who may sign in; make another one first."
            )
        return given


def _projects() -> list[tuple[str, str]]:
    return [(row.identifier, str(row)) for row in Project.objects.order_by("path")]


class PartInProject(forms.ModelForm):  # type: ignore[type-arg]
    """A project is picked from those the index knows; one that is gone can stay."""

    known = staticmethod(_projects)
    project_identifier = forms.ChoiceField(label="Project")

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        known = list(self.known())
        present = self.instance.project_identifier
        if present and present not in dict(known):
            known.append((present, f"{present} (not in the index)"))
        field = self.fields["project_identifier"]
        assert isinstance(field, forms.ChoiceField)
        field.choices = [("", "–"), *known]


class Parts(admin.TabularInline):  # type: ignore[type-arg]
    model = Membership
    form = PartInProject
    extra = 1
    verbose_name = "part in a project"
    verbose_name_plural = "parts in projects"

    def get_queryset(self, request: HttpRequest) -> QuerySet[Membership]:
        """With the account, which each row is named by."""
        return super().get_queryset(request).select_related("user")

    def get_formset(self, request: HttpRequest, obj: Any = None, **kwargs: Any) -> Any:
        """The projects are read once for all its rows."""
        form = type("PartInKnownProject", (PartInProject,), {"known": staticmethod(cache(_projects))})
        return super().get_formset(request, obj, form=form, **kwargs)


@admin.register(User)
class AccountAdmin(UserAdmin):  # type: ignore[type-arg]
    """Django's own, with one role instead of flags, groups and permissions."""

    form = ChangedAccount
    add_form = NewAccount
    add_fieldsets = (
        (None, {"classes": ("wide",), "fields": ("username", "usable_password", "password1", "password2", "role")}),
    )
    fieldsets = (
        (None, {"fields": ("username", "password")}),
        ("What it may", {"fields": ("role", "is_active")}),
        ("Person", {"fields": ("first_name", "last_name", "email")}),
        ("Dates", {"fields": ("last_login", "date_joined")}),
    )
    readonly_fields = ("last_login", "date_joined")
    list_display = ("username", "role", "email", "is_active", "last_login")
    list_filter = ("is_active", "is_superuser", "profile__role")
    list_select_related = ("profile",)
    filter_horizontal = ()
    inlines = (Parts,)

    @admin.display(description="Role")
    def role(self, user: User) -> str:
        return accounts.role_of(user)

    def save_model(self, request: HttpRequest, obj: User, form: Any, change: bool) -> None:
        super().save_model(request, obj, form, change)
        accounts.set_role(obj, form.cleaned_data["role"])

    def get_inlines(self, request: HttpRequest, obj: User | None) -> Any:
        return self.inlines if obj is not None else ()

    def get_actions(self, request: HttpRequest) -> dict[str, Any]:
        """Accounts are removed one by one, so that the last administrator stays."""
        return {name: each for name, each in super().get_actions(request).items() if name != "delete_selected"}

    def get_queryset(self, request: HttpRequest) -> QuerySet[User]:
        """Nobody else learns which accounts there are, not even by their numbers."""
        rows = super().get_queryset(request)
        return rows if rights.of_request(request).administers else rows.none()

    def has_module_permission(self, request: HttpRequest) -> bool:
        return rights.of_request(request).administers

    def has_view_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        return rights.of_request(request).administers

    def has_add_permission(self, request: HttpRequest) -> bool:
        return rights.of_request(request).administers

    def has_change_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        return rights.of_request(request).administers

    def has_delete_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        if isinstance(obj, User) and accounts.is_last_administrator(obj):
            return False
        return rights.of_request(request).administers
