"""Every mail as a mail program shows it: wide and narrow, light and dark, with nothing wider than the window.

The pictures are in test-output/mails/, for people to look at.  The people in them have names of all kinds, the longest
among them; ada manages lab/toxic-bert and the repo with the longest id.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from django.template.loader import render_to_string
from django.utils import timezone

from access.models import AccessRequest
from accounts import services as accounts
from accounts.actor import SYSTEM, Actor
from accounts.models import User
from notifications import mails, sealed
from notifications.letters.base import frame
from notifications.models import Delivery, OutboxMessage
from repos import services as repos
from repos.models import ConfirmationMail, GateForm, Repo
from tests.browser import texts
from tests.browser.test_pages import AXE, TOO_WIDE
from tests.support.server import ROOT

PICTURES = ROOT / "test-output" / "mails"
HEIGHT = 900
RULES = ["color-contrast", "empty-heading", "link-name", "html-has-lang", "document-title", "heading-order"]
RUN = """(rules) => axe.run(document, { runOnly: { type: "rule", values: rules }, resultTypes: ["violations"] })
  .then((found) => found.violations.flatMap((one) => one.nodes.map((node) => `${one.id}: ${node.html}`)))
"""
RIGHT_TO_LEFT = "\N{HEBREW LETTER NUN}\N{HEBREW LETTER VAV}\N{HEBREW LETTER AYIN}\N{HEBREW LETTER HE}, 4 (x)"
NAMES = {
    "sam": "Sam Okafor",
    "noa": RIGHT_TO_LEFT,
    texts.LONG_USER: texts.LONG_FULLNAME,
    "umlaut": texts.UNBROKEN_FULLNAME,
    "evil.example": "<b>Eve</b> https://evil.example \u202egnp.exe",
    "jun": "",
    "sci": "Sci \N{WOMAN}\N{ZERO WIDTH JOINER}\N{MICROSCOPE}",
}


class Stage:
    """Everything that the mails are about, as rows."""

    def __init__(self, ada: User, short: Repo, long: Repo) -> None:
        self.ada, self.short, self.long = ada, short, long
        self.people = [
            User.objects.create(username=name, email=f"{name}@example.org", fullname=full)  # Some no form would take.
            for name, full in NAMES.items()
        ]
        self.sam = self.people[0]

    def queue(
        self, kind: str, request: AccessRequest | None = None, *, to: User | None = None, **given: Any
    ) -> Delivery:
        repo = given.pop("repo", request.repo if request else None)
        into, address = given.pop("into", None), given.pop("address", to.email if to else "desk@example.com")
        message = OutboxMessage.objects.create(
            kind=kind, state="dispatched", repo=repo, access_request=request, **given
        )
        state = "folded" if into else "waiting"
        return Delivery.objects.create(
            message=message, kind=kind, user=to, address=address, folded_into=into, state=state
        )

    def ask(self, repo: Repo, user: User, **given: Any) -> AccessRequest:
        usual = {"email": user.email, "fullname": user.fullname}
        return AccessRequest.objects.create(repo=repo, user=user, **(usual | given))

    def decided(self, kind: str, repo: Repo, reason: str = "", status: str = "") -> Delivery:
        status = status or {"cancelled": "pending", "granted": "accepted"}.get(kind, kind)
        request = self.ask(repo, self.sam, status=status, reviewed_at=None if status == "pending" else timezone.now())
        return self.queue(kind, request, to=self.sam, data={"repo_id": repo.repo_id, "reason": reason})

    def account(self, name: str, **context: str) -> Delivery:
        html = render_to_string(f"account/email/{name}_message.html", {"user": self.sam, **context, **frame()})
        return self.queue("account", to=self.sam, sealed=sealed.seal({"subject": name, "text": "x", "html": html}))


def new_request(stage: Stage) -> Delivery:
    fields = [{"label": label, "type": "text"} for label in texts.ANSWERS]
    form = GateForm.objects.create(repo=stage.short, digest="1", commit_sha="1", spec={"fields": fields})
    return stage.queue("new-request", stage.ask(stage.short, stage.sam, answers=texts.ANSWERS, form=form), to=stage.ada)


def new_request_wild(stage: Stage) -> Delivery:
    request = stage.ask(
        stage.long, stage.people[2], answers=texts.WILD_ANSWERS | {"Empty": ""}, email=texts.LONG_ADDRESS
    )
    return stage.queue("new-request", request)


def summary_of_one_repo(stage: Stage) -> Delivery:
    first, *rest = [stage.ask(stage.short, person) for person in stage.people]
    delivery = stage.queue("new-request", first, to=stage.ada)
    for request in rest:
        stage.queue("new-request", request, to=stage.ada, into=delivery)
    return delivery


def summary_of_many_repos(stage: Stage) -> Delivery:
    delivery = summary_of_one_repo(stage)
    for person in stage.people[:3]:
        stage.queue("new-request", stage.ask(stage.long, person), to=stage.ada, into=delivery)
    return delivery


def digest(stage: Stage, repo: Repo | None = None) -> Delivery:
    delivery = stage.queue("digest", repo=repo or stage.short, to=stage.ada)
    for number, person in enumerate(stage.people * 9):
        if number >= len(stage.people):
            name = f"reader-{number}"
            person = User.objects.create(username=name, email=f"{name}@example.org", fullname=f"Reader {number}")
        stage.queue("new-request", stage.ask(repo or stage.short, person), digest=delivery.message)
    AccessRequest.objects.filter(user__username__in=["jun", "sci"]).update(
        status="rejected", reviewed_at=timezone.now()
    )
    return delivery


def decisions(stage: Stage) -> Delivery:
    delivery = stage.decided("accepted", stage.short)
    request = stage.ask(stage.long, stage.sam, status="rejected", reviewed_at=timezone.now())
    stage.queue("rejected", request, to=stage.sam, data={"reason": texts.REASON}, into=delivery)
    for kind, status in (("cancelled", "pending"), ("granted", "rejected")):
        repo = Repo.objects.create(type="dataset", namespace=stage.short.namespace, name=f"rows-{kind}")
        reviewed = None if status == "pending" else timezone.now()
        request = stage.ask(repo, stage.sam, status=status, reviewed_at=reviewed)
        stage.queue(kind, request, to=stage.sam, into=delivery)
    return delivery


def token(stage: Stage) -> Delivery:
    ends = (timezone.now() + timedelta(days=30)).isoformat()
    data = {"name": "laptop", "role": "fine-grained", "expires_at": ends, "address": "192.0.2.7"}
    return stage.queue("token-created", to=stage.sam, data=data)


def token_wild(stage: Stage) -> Delivery:
    data = {"name": "n" * 100, "role": "write", "expires_at": None, "address": ""}
    return stage.queue("token-created", to=stage.people[2], data=data)


def confirm_address(stage: Stage) -> Delivery:
    repos.change_settings(stage.long, {"gatedNotificationsEmail": "desk@example.com"}, by=Actor(user=stage.ada))
    row = ConfirmationMail.objects.get()
    return stage.queue("confirm-address", repo=stage.long, data={"confirmation": row.pk})


LINK = "https://gate.example.org/account/verify/" + "Mg:1sKqXv:" + "x" * 43
MAILS: dict[str, Callable[[Stage], Delivery]] = {
    "new-request": new_request,
    "new-request-wild": new_request_wild,
    "summary": summary_of_one_repo,
    "summary-of-many-repos": summary_of_many_repos,
    "digest": digest,
    "digest-wild": lambda stage: digest(stage, stage.long),
    "accepted": lambda stage: stage.decided("accepted", stage.short),
    "accepted-wild": lambda stage: stage.decided("accepted", stage.long),
    "granted": lambda stage: stage.decided("granted", stage.short),
    "rejected": lambda stage: stage.decided("rejected", stage.short, texts.REASON),
    "rejected-wild": lambda stage: stage.decided("rejected", stage.long, "Grund" * 40),
    "rejected-without-reason": lambda stage: stage.decided("rejected", stage.short),
    "cancelled": lambda stage: stage.decided("cancelled", stage.short),
    "accepted-and-then-rejected": lambda stage: stage.decided("accepted", stage.short, status="rejected"),
    "decisions": decisions,
    "token": token,
    "token-wild": token_wild,
    "confirm-address": confirm_address,
    "account-verify": lambda stage: stage.account("email_confirmation_signup", activate_url=LINK),
    "account-reset": lambda stage: stage.account("password_reset_key", password_reset_url=LINK, username="sam"),
    "account-exists": lambda stage: stage.account("account_already_exists", password_reset_url=LINK),
    "account-unknown": lambda stage: stage.account("unknown_account", signup_url="https://gate.example.org/signup"),
}


@pytest.fixture(params=MAILS)
def shown(request, settings, ada, lab, make_repo) -> tuple[str, str]:
    """A mail's name, and its HTML."""
    settings.PUBLIC_URL = "https://gate.example.org"
    short = make_repo("lab/toxic-bert", by=ada, gated="manual")
    accounts.create_organization(name=texts.LONG_ORG, admin=ada, by=SYSTEM)
    long = make_repo(f"{texts.LONG_ORG}/{texts.LONG_REPO}", by=ada, gated="manual")
    delivery = MAILS[request.param](Stage(ada, short, long))
    rows = Delivery.objects.select_related("message__repo__namespace", "message__access_request__user", "user")
    ((html, _),) = mails.compose(rows.get(pk=delivery.pk)).alternatives
    return request.param, str(html)


def test_mail(shown, new_context):
    name, html = shown
    PICTURES.mkdir(parents=True, exist_ok=True)
    page = new_context("http://127.0.0.1").new_page()
    page.set_content(html)
    page.evaluate(AXE)
    wrong = []
    for width in (640, 390):
        for scheme in ("light", "dark"):
            page.set_viewport_size({"width": width, "height": HEIGHT})
            page.emulate_media(color_scheme=scheme)
            page.screenshot(path=PICTURES / f"{name}-{width}-{scheme}.png", full_page=True)
            wrong += [f"{width} {scheme}: wider than the window: {found}" for found in page.evaluate(TOO_WIDE)]
            wrong += [f"{width} {scheme}: {found}" for found in page.evaluate(RUN, RULES)]
    assert not wrong, "\n".join(wrong)
