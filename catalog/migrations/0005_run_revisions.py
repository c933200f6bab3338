from django.db import migrations, models


class Migration(migrations.Migration):

    dependencies = [
        ('catalog', '0004_staff_are_curators'),
    ]

    operations = [
        migrations.AddField(
            model_name='run',
            name='outdated_files',
            field=models.JSONField(default=list, help_text="What of it is said of the run's files"),
        ),
        migrations.AddField(
            model_name='run',
            name='compared',
            field=models.CharField(
                blank=True, default='', help_text='SHA-256 of the file they were compared with', max_length=64
            ),
            preserve_default=False,
        ),
        migrations.AddIndex(
            model_name='file',
            index=models.Index(condition=models.Q(('run', ''), _negated=True), fields=['run'], name='file_run'),
        ),
    ]
