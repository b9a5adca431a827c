"""Makes the groups of roles.py. A group that is there already keeps what staff gave it."""

from django.apps import apps as current
from django.contrib.auth.management import create_permissions
from django.db import migrations
from django.db.models import Q

from staff.roles import ROLES


def make(apps, schema_editor):
    for label in ("audit", "llm"):  # Django makes permissions after the last migration, which is too late for us
        create_permissions(current.get_app_config(label), verbosity=0, using=schema_editor.connection.alias)
    group, permission = apps.get_model("auth", "Group"), apps.get_model("auth", "Permission")
    for name, wanted in ROLES.items():
        role, new = group.objects.get_or_create(name=name)
        if new:
            which = Q()
            for each in wanted:
                label, codename = each.split(".")
                which |= Q(content_type__app_label=label, codename=codename)
            role.permissions.set(permission.objects.filter(which))


class Migration(migrations.Migration):
    dependencies = [
        ("audit", "0001_initial"),
        ("llm", "0001_initial"),
        ("auth", "0012_alter_user_first_name_max_length"),
        ("contenttypes", "0002_remove_content_type_name"),
    ]
    operations = [migrations.RunPython(make, migrations.RunPython.noop)]
