"""Makes a published dataset in the folders of a service: ``python -m tests.catalog.public.served``."""

from __future__ import annotations

import sys

import django

if __name__ == "__main__":
    django.setup()
    from django.conf import settings

    from catalog import state
    from tests.catalog.public import shown
    from tests.catalog.tree import Tree

    state.prepare()
    made = shown.prepared(Tree(settings.MONITOR_PATHS[0]))
    made.publish()
    sys.stdout.write(made.identifier)
