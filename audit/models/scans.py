"""What the audit stores: the question bank as staff may edit it, scans, and their reports.

No model here holds a name, an address of any kind or free text of a visitor. Orders, which do, have a module of
their own.
"""

from typing import Any

from django.core.validators import RegexValidator
from django.db import models
from django.db.models import Q
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from audit.scoring import formula
from audit.scoring import json as scoring_json

SHIPPED: dict[str, Any] = {"default": dict, "blank": True, "editable": False}


class Question(models.Model):
    """One of the 12 questions. Texts are msgids: English as the bank ships it or as staff changed it.

    `shipped` holds the texts as the bank last wrote them: a text that differs was edited by staff.
    """

    id = models.SlugField(primary_key=True, max_length=40)
    position = models.PositiveSmallIntegerField()
    category = models.CharField(max_length=20)
    weight = models.PositiveSmallIntegerField(
        help_text=_("Points lost with the worst answer; all add up to 100.")
    )
    text = models.CharField(max_length=300)
    hint = models.CharField(
        max_length=300,
        blank=True,
        default="",
        db_default="",
        help_text=_("What the question needs besides its own sentence."),
    )
    why = models.CharField(max_length=500, help_text=_("Why this matters, in one or two sentences."))
    standards = models.JSONField(default=list, blank=True, help_text=_("Guidelines: name and url of each."))
    shipped = models.JSONField(**SHIPPED)

    class Meta:
        ordering = ["position"]
        verbose_name = _("question")
        verbose_name_plural = _("questions")

    def __str__(self) -> str:
        return self.text


class Option(models.Model):
    """One answer of a question. `value` never changes; `risk` is relative to the question's highest."""

    question = models.ForeignKey(Question, on_delete=models.CASCADE, related_name="options")
    value = models.SlugField(max_length=40)
    position = models.PositiveSmallIntegerField()
    risk = models.PositiveSmallIntegerField(help_text=_("From 0, safe, to 10."))
    not_applicable = models.BooleanField(default=False, help_text=_("The question is then not assessed."))
    label = models.CharField(max_length=300)
    title = models.CharField(max_length=200, blank=True, help_text=_("The weakness in a few words."))
    action = models.CharField(
        max_length=200,
        blank=True,
        default="",
        db_default="",
        help_text=_("What to do about it, as a heading."),
    )
    harm = models.CharField(max_length=500, blank=True, help_text=_("What can happen."))
    fix_steps = models.JSONField(default=list, blank=True)
    tools = models.JSONField(default=list, blank=True, help_text=_("At least two vendors or a free way."))
    minutes = models.PositiveSmallIntegerField(default=0, help_text=_("How long the fix takes."))
    shipped = models.JSONField(**SHIPPED)

    class Meta:
        ordering = ["question__position", "position"]
        constraints = [models.UniqueConstraint(fields=["question", "value"], name="option_value_unique")]
        verbose_name = _("answer option")
        verbose_name_plural = _("answer options")

    def __str__(self) -> str:
        return f"{self.question_id}.{self.value}"


class Incident(models.Model):
    """A real theft or loss with its sources. Only active ones are cited."""

    slug = models.SlugField(primary_key=True, max_length=60)
    name = models.CharField(max_length=200)
    date = models.CharField(
        max_length=10,
        validators=[RegexValidator(r"^\d{4}(-(0[1-9]|1[0-2])(-(0[1-9]|[12]\d|3[01]))?)?$")],
        help_text=_("As exact as the sources: 2024, 2024-05 or 2024-05-03."),
    )
    victims = models.CharField(max_length=200, blank=True)
    loss_usd = models.BigIntegerField(null=True, blank=True, help_text=_("At the time of the theft, in USD."))
    vector = models.SlugField(max_length=40, help_text=_("The kind of attack."))
    what_happened = models.TextField()
    lesson = models.TextField()
    weaknesses = models.JSONField(
        default=list, blank=True, help_text=_("Answers that this case hits, as question.option.")
    )
    sources = models.JSONField(default=list, blank=True, help_text=_("https addresses."))
    confirmed = models.BooleanField(default=True, help_text=_("A source states what was lost and when."))
    note = models.TextField(blank=True, help_text=_("What a reader must know about the figures."))
    active = models.BooleanField(default=True, help_text=_("Switched off: no longer cited in new reports."))
    added = models.DateField(default=timezone.localdate, editable=False)
    shipped = models.JSONField(**SHIPPED)

    class Meta:
        ordering = ["-date", "slug"]
        verbose_name = _("incident")
        verbose_name_plural = _("incidents")

    def __str__(self) -> str:
        return self.name


class Scan(models.Model):
    """One set of 12 answers with its score. Reached by a signed link only."""

    public_id = models.CharField(max_length=32, unique=True, editable=False)
    reference = models.CharField(_("reference"), max_length=9, db_index=True, editable=False)
    created_at = models.DateTimeField(auto_now_add=True, db_index=True)
    lang = models.CharField(_("language"), max_length=10)
    answers = models.JSONField()
    tested = models.JSONField(
        default=dict,
        db_default={},
        blank=True,
        help_text=_("When an answer was last tried out: question id to month."),
    )
    score = models.PositiveSmallIntegerField()
    raw_score = models.PositiveSmallIntegerField()
    result = models.JSONField(help_text=_("The scoring as it was computed, term by term."))
    scoring_version = models.CharField(max_length=20)
    bank_version = models.CharField(max_length=20)
    ai = models.BooleanField(
        _("AI"), default=True, help_text=_("The visitor agreed to a report by a language model.")
    )
    # Copies of the report that is shown, for the list of staff; see report/outcome.py.
    tier = models.DecimalField(_("tier"), max_digits=4, decimal_places=1, null=True, blank=True)
    provider = models.CharField(_("report by"), max_length=80, blank=True)
    flagged = models.BooleanField(_("flagged"), default=False)
    # What staff say of it.
    reviewed_at = models.DateTimeField(_("reviewed"), null=True, blank=True)
    reviewed_by = models.CharField(_("reviewed by"), max_length=150, blank=True)
    note = models.TextField(_("note"), blank=True)
    hidden_at = models.DateTimeField(
        _("hidden"), null=True, blank=True, help_text=_("Its link then opens nothing.")
    )
    previous = models.ForeignKey(
        "self", on_delete=models.SET_NULL, null=True, blank=True, editable=False, related_name="later"
    )
    # Random and apart from public_id: the address of the shared card tells nothing about the private one.
    share_id = models.CharField(max_length=32, unique=True, null=True, blank=True, editable=False)

    class Meta:
        ordering = ["-created_at", "-id"]
        verbose_name = _("scan")
        verbose_name_plural = _("scans")
        permissions = [("review_scan", _("Can review scans and their reports"))]
        indexes = [
            # For the list of staff, newest first; the last one is small.
            models.Index(fields=["lang", "created_at"], name="scan_lang"),
            models.Index(fields=["tier", "created_at"], name="scan_tier"),
            models.Index(fields=["provider", "created_at"], name="scan_provider"),
            models.Index(fields=["created_at"], condition=Q(flagged=True), name="scan_flagged"),
            models.Index(
                fields=["created_at"], condition=Q(flagged=True, reviewed_at=None), name="scan_to_review"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.public_id[:6]}… ({self.score})"

    @property
    def assessment(self) -> formula.Assessment:
        """The result as it was computed when the scan was made, whatever the bank says today."""
        return scoring_json.load(self.result)


class Report(models.Model):
    """A version of a scan's report. The newest ready one is shown, earlier ones stay.

    `claim` names the worker that is writing; only it may change the row, and only while its heartbeat
    is fresh (see writer.py).
    """

    class Status(models.TextChoices):
        PENDING = "pending", _("waiting to be written")
        WRITING = "writing", _("being written")
        READY = "ready", _("ready")
        SHELVED = "shelved", _("ready, not shown")  # a template that came after a model's report

    UNFINISHED = (Status.PENDING, Status.WRITING)

    scan = models.ForeignKey(Scan, on_delete=models.CASCADE, related_name="reports")
    status = models.CharField(max_length=10, choices=Status, default=Status.PENDING, db_index=True)
    created_at = models.DateTimeField(auto_now_add=True)
    claim = models.CharField(max_length=32, blank=True, editable=False)
    claimed_at = models.DateTimeField(null=True, blank=True)
    heartbeat_at = models.DateTimeField(null=True, blank=True)
    finished_at = models.DateTimeField(null=True, blank=True)
    draft = models.TextField(blank=True, help_text=_("The text as it arrives."))
    progress = models.JSONField(
        default=list, blank=True, help_text=_("Attempts so far, as the page shows them.")
    )
    markdown = models.TextField(blank=True)
    provider = models.CharField(max_length=80, blank=True, help_text=_("The credential that wrote it."))
    tier = models.DecimalField(max_digits=4, decimal_places=1, null=True, blank=True)
    model = models.CharField(max_length=120, blank=True)
    cost_usd = models.DecimalField(max_digits=14, decimal_places=6, null=True, blank=True)
    prompt_version = models.CharField(max_length=20, blank=True)
    flags = models.JSONField(
        default=list, blank=True, help_text=_("What staff should look at: short codes such as money:$5M.")
    )
    receipt = models.TextField(blank=True, help_text=_("Who wrote it, after what, at what cost; signed."))
    call = models.ForeignKey(
        "llm.Call", on_delete=models.SET_NULL, null=True, blank=True, related_name="reports"
    )

    class Meta:
        ordering = ["-created_at", "-id"]
        constraints = [
            models.UniqueConstraint(
                fields=["scan"],
                condition=Q(status__in=["pending", "writing"]),
                name="one_unfinished_report_a_scan",
            )
        ]
        indexes = [
            models.Index(fields=["finished_at"], name="report_finished"),
            models.Index(fields=["tier", "finished_at"], name="report_tier"),
        ]
        verbose_name = _("report")
        verbose_name_plural = _("reports")

    def __str__(self) -> str:
        return f"{self.scan_id} {self.status} {self.provider}".strip()
