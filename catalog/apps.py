"""The app's entry in Django: loads the system checks."""

from django.apps import AppConfig
from django.contrib.admin import apps as admin_apps


class AdminConfig(admin_apps.AdminConfig):
    """Django's admin behind our own door."""

    default = False
    default_site = "catalog.admin_site.Site"


class CatalogConfig(AppConfig):
    default = True
    name = "catalog"
    verbose_name = "Index"

    def ready(self) -> None:
        from catalog import checks  # noqa: F401  (registers itself; models must be loaded first)
