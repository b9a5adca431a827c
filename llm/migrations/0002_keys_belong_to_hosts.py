from urllib.parse import urlsplit

from django.db import migrations, models

BASE_URLS = {
    "groq": "https://api.groq.com",
    "openai": "https://api.openai.com/v1",
    "vertex": "https://{location}-aiplatform.googleapis.com",
}
PORTS = {"http": 80, "https": 443}


def keep_where_they_are(apps, schema_editor):
    """Keys belong to the hosts that they are sent to today, and those hosts are the operator's own choice.

    The way to an origin as it was at this release; llm.hosts may learn more.
    """
    for provider in apps.get_model("llm", "Provider").objects.all():
        try:
            parts = urlsplit(provider.base_url or BASE_URLS[provider.kind])
            host, port = parts.hostname or "", parts.port
        except (KeyError, ValueError):
            continue
        host = f"[{host}]" if ":" in host else host
        scheme = parts.scheme.lower()
        origin = f"{scheme}://{host}" + (f":{port}" if port and port != PORTS.get(scheme) else "")
        type(provider).objects.filter(pk=provider.pk).update(vouched_origin=origin)
        apps.get_model("llm", "Credential").objects.filter(provider=provider).update(entered_for=origin)


class Migration(migrations.Migration):
    dependencies = [("llm", "0001_initial")]

    operations = [
        migrations.AddField(
            model_name="credential",
            name="entered_for",
            field=models.CharField(
                blank=True, default="", db_default="", editable=False, help_text="The only host that the key is sent to.",
                max_length=320,
            ),
        ),
        migrations.AddField(
            model_name="provider",
            name="vouched_origin",
            field=models.CharField(
                blank=True, default="", db_default="", editable=False, help_text="Where a providers file says that it is.",
                max_length=320,
            ),
        ),
        migrations.RunPython(keep_where_they_are, migrations.RunPython.noop),
    ]
