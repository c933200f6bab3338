from django.conf import settings
from django.db import migrations, models


class Migration(migrations.Migration):

    dependencies = [
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
        ('catalog', '0005_run_revisions'),
    ]

    operations = [
        migrations.RemoveConstraint(
            model_name='unsavedform',
            name='unsaved_form_once',
        ),
        migrations.AddField(
            model_name='unsavedform',
            name='opening',
            field=models.CharField(default='', help_text='Which opening of the form: two tabs are two', max_length=32),
            preserve_default=False,
        ),
        migrations.AddConstraint(
            model_name='unsavedform',
            constraint=models.UniqueConstraint(fields=('user', 'root', 'document', 'opening'), name='unsaved_form_once'),
        ),
    ]
