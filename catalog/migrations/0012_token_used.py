from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("catalog", "0011_published_words"),
    ]

    operations = [
        migrations.AddField(
            model_name="token",
            name="used",
            field=models.DateTimeField(null=True, help_text="When it was shown last, to a minute"),
        ),
    ]
