#!/usr/bin/env python
"""The door to every Fairfolder command: ``python manage.py <command> --help``."""

import gc
import os
import sys
from typing import Any


def main() -> None:
    gc.disable()  # what is imported stays: looking for garbage among it took a tenth of the start
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "catalog.settings")
    try:
        from django.core.management import ManagementUtility
    except ImportError:
        sys.exit("Django is not installed for this Python. Run `make setup`, then use .venv/bin/python manage.py.")

    class Door(ManagementUtility):
        def fetch_command(self, subcommand: str) -> Any:
            """Wrong usage is exit code 2, as with every command; Django would answer an unknown one with 1."""
            try:
                return super().fetch_command(subcommand)
            except SystemExit:
                sys.exit(2)
            finally:
                gc.freeze()
                gc.enable()

    Door(sys.argv).execute()


if __name__ == "__main__":
    main()
