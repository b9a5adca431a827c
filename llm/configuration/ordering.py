"""The order in which a provider's models are tried."""

from collections.abc import Sequence

from django.utils import timezone

from llm.models import Model


def reorder(ids: Sequence[int]) -> None:
    """Gives the models of one provider their places in this order. Within a transaction of the caller's."""
    now = timezone.now()
    for position, pk in enumerate(ids):
        Model.objects.filter(pk=pk).exclude(position=position).update(position=position, updated_at=now)
