"""The stock Django admin, branded: accounts are managed here, the index is only looked at."""

from __future__ import annotations

from django.contrib import admin

from catalog.admin import index as index  # registers its models

admin.site.site_header = "Fairfolder"
admin.site.site_title = "Fairfolder"
admin.site.index_title = "Administration"
