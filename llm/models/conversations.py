"""Answers that a client may ask for again, and go on from."""

from django.db import models

from llm.models.ledger import Call


class StoredResponse(models.Model):
    """One answer of `/v1/responses`, with what its turn has added to the conversation. It goes when its call goes.

    thread: the first answer of the conversation; previous: the one that this one goes on from
    said: the messages of the turn, the instructions not among them; answer: the assistant's message, both as the
    chain knows them. body: the response as it was told
    """

    id = models.CharField(max_length=60, primary_key=True)
    client = models.CharField(max_length=60)
    call = models.ForeignKey(Call, on_delete=models.CASCADE, related_name="responses")
    thread = models.CharField(max_length=60, db_index=True)
    previous = models.CharField(max_length=60, blank=True)
    said = models.JSONField()
    answer = models.JSONField()
    body = models.JSONField()

    def __str__(self) -> str:
        return self.id
