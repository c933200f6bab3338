"""Accounts that could see the admin before there were roles become curators."""

from typing import Any

from django.db import migrations


def give_roles(apps: Any, schema_editor: object) -> None:
    user, profile = apps.get_model("auth", "User"), apps.get_model("catalog", "Profile")
    for each in user.objects.filter(is_staff=True, profile=None):
        profile.objects.create(user=each, role="curator")


class Migration(migrations.Migration):
    dependencies = [
        ("auth", "0012_alter_user_first_name_max_length"),
        ("catalog", "0003_bulk_changes"),
    ]

    operations = [migrations.RunPython(give_roles, migrations.RunPython.noop)]
