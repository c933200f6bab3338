from django.db import migrations, models


class Migration(migrations.Migration):

    dependencies = [
        ('catalog', '0006_unsaved_openings'),
    ]

    operations = [
        migrations.AddField(
            model_name='plannedchange',
            name='answers',
            field=models.TextField(blank=True, default='', help_text='What was ticked and typed so far, as a form sends it'),
            preserve_default=False,
        ),
    ]
