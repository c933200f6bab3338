from typing import Any

from django.db import migrations, models
from django.db.models.fields.json import KT
from django.db.models.functions import Coalesce


def fill(apps: Any, schema_editor: Any) -> None:
    """The files of what is published already are found by their run at once."""
    things = apps.get_model("catalog", "PublishedThing").objects
    things.filter(kind="file").update(run=Coalesce(KT("value__run_id"), models.Value("")))


class Migration(migrations.Migration):
    dependencies = [
        ("catalog", "0012_token_used"),
    ]

    operations = [
        migrations.AddField(
            model_name="publishedthing",
            name="run",
            field=models.CharField(
                blank=True, db_default="", help_text="Of a file: the run that made it", max_length=36
            ),
        ),
        migrations.RunPython(fill, migrations.RunPython.noop),
        migrations.AddIndex(
            model_name="publishedthing",
            index=models.Index(fields=["record", "kind", "run", "position"], name="published_thing_run"),
        ),
    ]
