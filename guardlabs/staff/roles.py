"""The three roles that a new site has as groups. What each may do is its permissions, and nothing else."""

from typing import Any

from django.db.models import Q

ROLES: dict[str, tuple[str, ...]] = {
    # Reads scans and reports, keeps texts right, writes the manual audits. Sees no key, moves no money.
    "reviewer": (
        "audit.view_scan", "audit.review_scan", "audit.delete_scan", "audit.view_report",
        "audit.view_question", "audit.change_question", "audit.view_option", "audit.change_option",
        "audit.view_incident", "audit.add_incident", "audit.change_incident",
        "audit.view_order", "audit.process_order", "audit.view_mail",
    ),
    # Invoices, payments, refunds, and what the providers cost.
    "finance": (
        "audit.view_order", "audit.manage_payment", "audit.view_orderevent", "audit.view_mail",
        "audit.view_stripeevent", "audit.view_payment", "audit.view_refund", "audit.view_dispute",
        "llm.view_provider", "llm.view_attempt",
    ),
    # Providers, keys and clients, and whatever keeps the chain going. Sees no visitor's scan and no order.
    "ops": (
        *(
            f"llm.{action}_{model}"
            for model in ("provider", "model", "limit", "alias", "credential", "client")
            for action in ("view", "add", "change", "delete")
        ),
        "llm.test_provider", "llm.view_call", "llm.view_attempt", "llm.view_pause", "llm.change_pause",
        "llm.view_quota", "llm.change_quota", "llm.delete_quota", "llm.view_notice", "llm.view_cachedreply",
        "llm.delete_cachedreply", "llm.view_cataloguechange", "llm.view_parity", "llm.change_parity",
        "llm.view_retirement", "llm.change_retirement", "llm.view_rehearsal",
    ),
}  # fmt: skip


def make_groups(group: Any, permission: Any) -> None:
    """Makes the groups, given the two models. One that is there already keeps what staff gave it."""
    for name, wanted in ROLES.items():
        role, new = group.objects.get_or_create(name=name)
        if new:
            which = Q()
            for each in wanted:
                label, codename = each.split(".")
                which |= Q(content_type__app_label=label, codename=codename)
            role.permissions.set(permission.objects.filter(which))
