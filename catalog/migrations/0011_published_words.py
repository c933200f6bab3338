from typing import Any

from django.db import migrations, models

from catalog.publishing.finding import words_of


def fill(apps: Any, schema_editor: Any) -> None:
    """What is published already is found by its words at once."""
    published = apps.get_model("catalog", "Published")
    for key in list(published.objects.values_list("pk", flat=True)):
        row = published.objects.get(pk=key)
        published.objects.filter(pk=key).update(words=words_of(row.value))


class Migration(migrations.Migration):
    dependencies = [
        ("catalog", "0010_published_last_level"),
    ]

    operations = [
        migrations.AddField(
            model_name="published",
            name="words",
            field=models.TextField(
                blank=True, default="", help_text="Title, abstract and keywords, folded: what a search looks through"
            ),
        ),
        migrations.RunPython(fill, migrations.RunPython.noop),
    ]
