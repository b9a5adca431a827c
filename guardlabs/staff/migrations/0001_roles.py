"""Makes the groups of roles.py. A group that is there already keeps what staff gave it."""

from django.apps import apps as current
from django.contrib.auth.management import create_permissions
from django.db import migrations

from guardlabs.staff.roles import make_groups


def make(apps, schema_editor):
    for label in ("audit", "llm"):  # Django makes permissions after the last migration, which is too late for us
        create_permissions(current.get_app_config(label), verbosity=0, using=schema_editor.connection.alias)
    make_groups(apps.get_model("auth", "Group"), apps.get_model("auth", "Permission"))


class Migration(migrations.Migration):
    dependencies = [
        ("audit", "0001_initial"),
        ("llm", "0001_initial"),
        ("auth", "0012_alter_user_first_name_max_length"),
        ("contenttypes", "0002_remove_content_type_name"),
    ]
    operations = [migrations.RunPython(make, migrations.RunPython.noop)]
