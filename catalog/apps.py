"""The app's entry in Django: loads the system checks."""

from django.apps import AppConfig


class CatalogConfig(AppConfig):
    name = "catalog"
    verbose_name = "Index"

    def ready(self) -> None:
        from catalog import checks  # noqa: F401  (registers itself; models must be loaded first)
