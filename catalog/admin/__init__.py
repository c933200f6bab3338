"""Django's admin, branded: administrators manage accounts here, curators look at the index."""

from __future__ import annotations

from django.contrib import admin

from catalog.admin import accounts as accounts  # each registers its models
from catalog.admin import bulk as bulk
from catalog.admin import index as index
from catalog.admin import reviews as reviews

admin.site.site_header = "Fairfolder"
admin.site.site_title = "Fairfolder"
admin.site.index_title = "Administration"
