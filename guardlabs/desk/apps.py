from django.contrib.admin.apps import AdminConfig


class DeskConfig(AdminConfig):
    """The stock admin with our home page."""

    default_site = "guardlabs.desk.site.DeskSite"
