"""Gives the groups of earlier releases what their roles may do with models that came later. Nothing is taken away."""

from django.apps import apps as current
from django.contrib.auth.management import create_permissions
from django.db import migrations
from django.db.models import Q

LATER = {
    "finance": ["audit.view_payment", "audit.view_refund", "audit.view_dispute"],
    "ops": ["llm.view_cataloguechange"]
    + [f"llm.{action}_{model}" for model in ("alias", "limit") for action in ("view", "add", "change", "delete")],
}


def give(apps, schema_editor):
    for label in ("audit", "llm"):
        create_permissions(current.get_app_config(label), verbosity=0, using=schema_editor.connection.alias)
    Group, Permission = apps.get_model("auth", "Group"), apps.get_model("auth", "Permission")
    for name, names in LATER.items():
        which = Q()
        for each in names:
            label, codename = each.split(".")
            which |= Q(content_type__app_label=label, codename=codename)
        for role in Group.objects.filter(name=name):
            role.permissions.add(*Permission.objects.filter(which))


class Migration(migrations.Migration):
    dependencies = [
        ("staff", "0001_roles"),
        ("audit", "0005_payments_refunds_disputes"),
        ("llm", "0013_catalogue_changes"),
    ]
    operations = [migrations.RunPython(give, migrations.RunPython.noop)]
