from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("llm", "0006_recovery")]

    operations = [
        migrations.AddField(
            model_name="pause",
            name="needs",
            field=models.CharField(
                blank=True,
                default="", db_default="",
                help_text="Holds only for calls that need this of a model.",
                max_length=20,
            ),
        ),
        migrations.RemoveConstraint(model_name="pause", name="one_open_pause_a_scope"),
        migrations.AddConstraint(
            model_name="pause",
            constraint=models.UniqueConstraint(
                condition=models.Q(("closed_at__isnull", True)),
                fields=("provider", "credential", "account", "model", "location", "needs"),
                name="one_open_pause_a_scope",
            ),
        ),
    ]
