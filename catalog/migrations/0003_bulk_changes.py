import django.db.models.deletion
from django.conf import settings
from django.db import migrations, models


class Migration(migrations.Migration):

    dependencies = [
        ('catalog', '0002_people_and_work'),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
        migrations.AlterField(
            model_name='review',
            name='etag',
            field=models.CharField(help_text='Of the version that was sent, then accepted', max_length=16),
        ),
        migrations.AddField(
            model_name='bulkchange',
            name='left_out',
            field=models.JSONField(default=list, help_text='Of each document that was not changed: title and why'),
        ),
        migrations.AddField(
            model_name='bulkchange',
            name='not_undone',
            field=models.JSONField(default=list, help_text='The same, of those that could not be taken back'),
        ),
        migrations.CreateModel(
            name='PlannedChange',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('made', models.DateTimeField(auto_now_add=True)),
                ('word', models.CharField(help_text='Kind of document, as in addresses', max_length=16)),
                ('identifiers', models.JSONField(help_text='Of the records, in the order of the list')),
                ('words', models.TextField(blank=True, help_text='What will be done, for people')),
                ('remarks', models.JSONField(default=list, help_text='What else there is to say, one sentence each')),
                ('rows', models.JSONField(help_text='The preview: see catalog.editing.bulk.Planned', null=True)),
                ('applied', models.DateTimeField(null=True)),
                ('made_by', models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='+', to=settings.AUTH_USER_MODEL)),
            ],
        ),
    ]
