"""Requests as the lists of the review show them: who asked, what they answered, what was decided."""

from __future__ import annotations

from collections.abc import Hashable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.utils import timezone
from django.utils.formats import date_format

from access import answers, services
from access.models import AccessRequest
from access.moments import Moment
from accounts.errors import NotFound
from accounts.models import path_of
from gatehub.web.excerpt import beginning_of
from repos import cards
from repos.models import GateForm, Repo


@dataclass(frozen=True, slots=True)
class Row:
    """One request, and its answers in the words of the form that was answered; "" where a question was left out.

    `form_date` is the day on which the author wrote that form, "" where the form is still the same.
    """

    request: Any  # What is `SHOWN` of it.
    answers: list[tuple[str, str]]
    asked: Moment
    decided: Moment
    form_date: str = ""

    @property
    def answered(self) -> int:
        return sum(bool(answer) for _, answer in self.answers)

    @property
    def beginnings(self) -> list[tuple[str, str, str]]:
        """Each question with the beginning of its answer; and where that is not all of it, the number of the question,
        by which its page is found.  Answers may have 20,000 characters each, and a list is sent with each decision."""
        shown = []
        for number, (label, answer) in enumerate(self.answers, start=1):
            beginning = beginning_of(answer)
            shown.append((label, beginning, "" if beginning == answer else str(number)))
        return shown

    @property
    def texts(self) -> dict[str, str]:
        """What `repo/_request.html` shows, beside the answers."""
        request, asked, decided = self.request, self.asked, self.decided
        return {
            "request_id": request.request_id,
            "who": request.user__username,
            "href": path_of(request.user__username),
            "fullname": request.fullname,
            "email": request.email,
            "asked_iso": asked.iso,
            "asked_full": asked.full,
            "asked_day": asked.day,
            "asked_ago": asked.ago,
            "decided_iso": decided.iso,
            "decided_full": decided.full,
            "decided_day": decided.day,
            "decided_ago": decided.ago,
            "reviewer": request.reviewed_by__username or "",
            "reason": request.rejection_reason,
            "answered": f"{self.answered} answer{'' if self.answered == 1 else 's'}",
            "form_date": self.form_date,
        }

    @property
    def flags(self) -> dict[str, Hashable]:
        return {"status": self.request.status, "granted": self.request.granted}


def answer_of(request: AccessRequest, number: int) -> tuple[str, str]:
    """The question with that number, as it was asked, and its answer.  Raises NotFound."""
    given = answers_in_words(services.form_spec(request.form), request.answers)
    if not 1 <= number <= len(given):
        raise NotFound(
            "There is no such answer.",
            next_step="The request may have been sent anew meanwhile. Go back to the requests: {url}",
            help_path=f"{request.repo.path}/settings#requests",
        )
    return given[number - 1]


def day_of_earlier_form(repo: Repo, form: GateForm | None) -> str:
    """The day on which the author wrote a form that is not the one in force; "" for the one in force, and for none."""
    if form is None or services.form_digest(form) == services.form_digest(repo.gate_form):
        return ""
    return day_of(form.created_at)


def day_of(at: datetime) -> str:
    return date_format(timezone.localtime(at), "j F Y")


def answers_in_words(spec: cards.FormSpec, given: Mapping[str, Any]) -> list[tuple[str, str]]:
    """Each question of the form with its answer, and then what else was answered."""
    in_words = dict(answers.in_words(spec, list(given.items())))
    asked = [(field.label, in_words.pop(field.label, "")) for field in spec.fields]
    return [*asked, *in_words.items()]
