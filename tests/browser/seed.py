"""Fills the server of the browser tests, in a process of the product: see `main`.

ada is the admin of lab, wes writes, rea reads.  nia has done nothing yet; noor waits for lab/research, sam was
accepted, jun rejected; una's address is not verified; pia has no password; stef is a superuser, stella too, with an
app and a key; LONG_USER has the longest names that there can be.
"""

from __future__ import annotations

import datetime
import json
from collections.abc import Iterable, Mapping

from allauth.account.forms import EmailAwarePasswordResetTokenGenerator
from allauth.account.models import EmailAddress, EmailConfirmationHMAC
from allauth.account.utils import user_pk_to_url_str
from django.contrib.auth.hashers import make_password
from django.db import transaction
from django.test.utils import override_settings
from django.utils import timezone

from access import bulk, device, tokens
from access import services as access
from access.filters import RequestFilter
from access.models import AccessRequest, AccessToken, BulkReview, DeviceSignIn, TokenScope
from access.tokens import Scope
from accounts import services as accounts
from accounts.actor import SYSTEM, Actor
from accounts.models import Namespace, Organization, User
from gatehub.web.files import MAX_IMAGE_BYTES
from notifications import addresses, opt_outs
from notifications.models import AddressProblem, Delivery, OutboxMessage
from repos import content, notification_address, objects
from repos import services as repos
from repos.git import AddBlob
from repos.models import ConfirmationMail, Repo
from tests.browser import seed_people, staff, texts
from tests.support.hub import PASSWORD

PEOPLE = {
    "ada": "Ada Lovelace",
    "wes": "Wes Writer",
    "rea": "Rea Reader",
    "nia": "",
    "noor": "Noor Haddad",
    "sam": "Sam Okafor",
    "jun": "Jun Tanaka",
    "una": "Una Verified",
    "pia": "Pia Passwordless",
    "stef": "Stef of the staff",
    "stella": "Stella Staff",
    texts.LONG_USER: texts.LONG_FULLNAME,
}
READERS = 54
"""People whose requests fill more than a page of the review."""


def main() -> None:
    """Make everything, and print it as one line of JSON: people with session and token, addresses that vary."""
    with override_settings(PASSWORD_HASHERS=["django.contrib.auth.hashers.MD5PasswordHasher"]):
        addresses = _make()
    User.objects.update(password=make_password(PASSWORD))  # The real hash is slow on purpose, so it is made once.
    seed_people.take_password(User.objects.get(username="pia"))
    people = {user.username: seed_people.entry(user) for user in User.objects.filter(username__in=PEOPLE)}
    stella = User.objects.get(username="stella")
    people["stella-confirmed"] = seed_people.entry(stella, has_confirmed=True)
    people["newcomer"] = seed_people.newcomer()
    addresses["staff_identity"] = str(seed_people.connected(User.objects.get(username="pia")))
    una = User.objects.get(username="una")
    addresses["una"] = user_pk_to_url_str(una)
    addresses["reset_key"] = EmailAwarePasswordResetTokenGenerator().make_token(una)
    print(json.dumps({"people": people, "addresses": addresses}))


@transaction.atomic
def in_union() -> None:
    """Fill a server of which only few pages are looked at, and print its sessions, by person, as one line of JSON."""
    with override_settings(PASSWORD_HASHERS=["django.contrib.auth.hashers.MD5PasswordHasher"]):
        people = [seed_people.person(name, PEOPLE[name]) for name in ("ada", "nia")]
    ada = people[0]
    lab = _organization("lab", "The Lab", ada, {})
    for name, card in {"research": texts.RESEARCH_CARD, "elsewhere": texts.EUROPE_CARD}.items():
        _repo(lab, name, {"README.md": card.encode()}, by=ada, gated="manual")
    print(json.dumps({user.username: seed_people.entry(user)["session"] for user in people}))


def long_history(name: str, repo_name: str, changes: int) -> None:
    """A repo of somebody, open, one of whose files was changed so often."""
    owner = User.objects.get(username=name)
    files = {"config.json": b"0\n"}
    repo = _repo(Namespace.objects.get(name=name), repo_name, files, by=owner)
    for number in range(1, changes + 1):
        _commit(repo, {"config.json": b"%d\n" % number}, {}, by=owner, title=f"Change {number}")


@transaction.atomic
def _make() -> dict[str, str]:
    for name, fullname in PEOPLE.items():
        seed_people.person(name, fullname)
    EmailAddress.objects.filter(user__username="una").update(verified=False)
    ada = User.objects.get(username="ada")
    lab = _organization("lab", "The Lab", ada, {"wes": "write", "rea": "read", texts.LONG_USER: "contributor"})
    long_org = _organization(texts.LONG_ORG, texts.LONG_FULLNAME, ada, {texts.LONG_USER: "admin"})
    _organization("bare-org", "", ada, {})
    research = _research(lab, ada)
    wild = _wild(long_org, ada)
    files = _many_files(lab, ada)
    _kinds(lab, ada)
    _others(lab, ada)
    _unsent(lab, ada)
    _tokens(ada, research)
    _lost(lab, ada)
    seed_people.stopped(User.objects.get(username=texts.LONG_USER))
    key = seed_people.second_factors(User.objects.get(username="stella"))
    return {
        **_device_codes(),
        "key": str(key),
        "verify_key": EmailConfirmationHMAC(EmailAddress.objects.get(user__username="una")).key,
        "commit": content.open_git(files).head() or "",
        **_long_answer("long", "noor", research, "Tell us about your project", texts.LONG_ANSWER),
        **_long_answer("wild", "umlaut", wild, texts.UNBROKEN_LABEL, "Antwort" * 2_000),
        "bulk_done": str(_bulk_done(research, ada)),
        "bulk_running": str(_bulk_running(lab, ada)),
        "bulk_stopped": str(_queue(lab, ada)),
        **_notification_addresses(ada),
        **_unsubscribe_links(),
        **staff.prepare(),
    }


def _device_codes() -> dict[str, str]:
    """One to look at, one to approve, one to deny; they stay good for as long as a run takes."""
    name = "hf 2.4.0 on a-machine-with-a-long-name.example.org"
    names = ("device_code", "device_approved", "device_denied")
    codes = {key: device.start(client_id="hf", client_name=name).user_code for key in names}
    DeviceSignIn.objects.update(expires_at=timezone.now() + datetime.timedelta(hours=3))
    return codes


def _notification_addresses(ada: User) -> dict[str, str]:
    """Tokens of the links that were mailed for an address that waits, one that was confirmed, and one that refused."""
    names = {"waiting": texts.LONG_REPO, "confirmed": "automatic", "refused": "elsewhere"}
    found = {}
    for state, name in names.items():
        address = texts.LONG_ADDRESS if state == "waiting" else f"desk-{state}@example.com"
        repo = repos.change_settings(
            Repo.objects.get(name=name), {"gatedNotificationsEmail": address}, by=Actor(user=ada)
        )
        found[f"address_{state}"] = notification_address.token_for(repo, timezone.now())
    notification_address.confirm(found["address_confirmed"], by=Actor())
    notification_address.refuse(found["address_refused"], by=Actor())
    return found


def _unsubscribe_links() -> dict[str, str]:
    """Tokens of the links in mails to people, and to addresses of repos; LONG_USER's own address gets no mail."""
    addresses.mark(
        address=f"{texts.LONG_USER}@example.org", what=AddressProblem.What.BOUNCED, detail=f"550 5.1.1 {'user ' * 60}"
    )
    about = {"noor": "accepted", "pia": "rejected", texts.LONG_USER: "digest"}
    links = {
        name: opt_outs.unsubscribe_link(Delivery(kind=kind, user=User.objects.get(username=name)))
        for name, kind in about.items()
    }
    waiting, refused = Repo.objects.get(name=texts.LONG_REPO), Repo.objects.get(name="elsewhere")
    for name, repo in {"desk": waiting, "refused": refused}.items():
        mail = Delivery(message=OutboxMessage(repo=repo), kind="digest", address=repo.gated_notifications_email)
        links[name] = opt_outs.unsubscribe_link(mail)
    links["long"] = links.pop(texts.LONG_USER)
    return {f"unsubscribe_{name}": link.rpartition("/")[2] for name, link in links.items()}


def _organization(name: str, fullname: str, admin: User, members: Mapping[str, str]) -> Namespace:
    made = accounts.create_organization(name=name, admin=admin, fullname=fullname, by=SYSTEM)
    for member, role in members.items():
        accounts.set_role(organization=made, user=User.objects.get(username=member), role=role, by=SYSTEM)
    return Organization.objects.get(pk=made.pk).namespace


def _repo(
    namespace: Namespace,
    name: str,
    files: Mapping[str, bytes],
    *,
    by: User,
    gated: str | bool = False,
    type_: str = "model",
    private: bool = False,
    large: Mapping[str, bytes] | None = None,
) -> Repo:
    actor = Actor(user=by)
    repo = repos.create_repo(type_=type_, namespace=namespace, name=name, private=private, by=actor)
    if files or large:
        _commit(repo, files, large or {}, by=by, title="Add the files")
    repos.change_settings(repo, {"gated": gated}, by=actor)
    repo.refresh_from_db()
    return repo


def _commit(
    repo: Repo, files: Mapping[str, bytes], large: Mapping[str, bytes], *, by: User, title: str, more: str = ""
) -> None:
    git = content.open_git(repo)
    operations: list[content.Operation] = [AddBlob(path, git.stage_blob(data)) for path, data in files.items()]
    for path, data in large.items():
        with objects.writer(repo.storage_id) as writer:
            writer.write(data)
            sha256 = writer.sha256
            writer.publish(sha256=sha256, size=len(data))
        content.record_object(repo, sha256, len(data))
        operations.append(content.AddLargeFile(path, sha256, len(data)))
    new = content.NewCommit(title=title, description=more, operations=operations)
    content.commit(repo, content.MAIN, new, by=Actor(user=by))
    repo.refresh_from_db()


def _ask(repo: Repo, name: str, answers: Mapping[str, str]) -> AccessRequest:
    request = access.ask(repo=repo, answers=answers, by=Actor(user=User.objects.get(username=name)))
    assert request is not None  # None of them can read it already.
    return request


def _readers(repo: Repo, count: int, answers: Mapping[str, str], stem: str) -> None:
    for number in range(1, count + 1):
        seed_people.person(f"{stem}-{number:02}", f"{stem.title()} Number {number}")
        _ask(repo, f"{stem}-{number:02}", answers)
    for age, request in enumerate(AccessRequest.objects.filter(repo=repo, user__username__startswith=stem)):
        request.requested_at = timezone.now() - datetime.timedelta(days=age, minutes=7)
        request.save(update_fields=["requested_at"])


def _long_answer(kind: str, name: str, repo: Repo, label: str, answer: str) -> dict[str, str]:
    """Gives the request and the number in its address."""
    request = AccessRequest.objects.get(repo=repo, user__username=name)
    request.answers[label] = answer
    request.save(update_fields=["answers"])
    place = [entry.label for entry in access.form_spec(request.form).fields].index(label)
    return {f"{kind}_answer": request.request_id, f"{kind}_number": str(place + 1)}


def _review(request: AccessRequest, status: str, by: User, reason: str = "") -> None:
    access.review(access_request=request, status=status, reason=reason, by=Actor(user=by))


def _research(lab: Namespace, ada: User) -> Repo:
    """lab/research: manual, with requests in each state."""
    small = {
        "README.md": texts.RESEARCH_CARD.encode(), "config.json": b'{"hidden_size": 32}\n', "loss.svg": texts.PICTURE,
    }  # fmt: skip
    repo = _repo(lab, "research", small, by=ada, gated="manual", large={"model.safetensors": texts.noise(9000)})
    _readers(repo, READERS, texts.ANSWERS, "reader")
    _ask(repo, "noor", texts.ANSWERS)
    _review(_ask(repo, "sam", texts.ANSWERS | {"Country": "NG"}), "accepted", ada)
    _review(_ask(repo, "jun", texts.ANSWERS | {"Country": "JP"}), "rejected", ada, texts.REASON)
    return repo


def _wild(long_org: Namespace, ada: User) -> Repo:
    """The longest repo id, a prompt of 20 kB, labels of 300 characters, and whoever answered them."""
    card = texts.WILD_CARD.encode()
    repo = _repo(long_org, texts.LONG_REPO, {"README.md": card}, by=ada, gated="manual")
    seed_people.person("umlaut", texts.UNBROKEN_FULLNAME)
    for name in ("umlaut", "noor", "sam", "jun"):
        _ask(repo, name, texts.WILD_ANSWERS)
    requests = {request.user.username: request for request in AccessRequest.objects.filter(repo=repo)}
    _review(requests["sam"], "accepted", ada)
    _review(requests["jun"], "rejected", ada, "Grund" * 40)
    return repo


def _many_files(lab: Namespace, ada: User) -> Repo:
    """lab/files: not gated, 200 files, history, branches, and one file of each kind."""
    named = {f"shards/part-{number:03}-of-200.txt": b"rows\n" * number for number in range(200)}
    here = {f"part-{number:03}-of-200.txt": b"rows\n" * number for number in range(190)}
    kinds = {
        "README.md": texts.FILES_CARD.encode(),
        "source.py": texts.SOURCE.encode(),
        "picture.svg": texts.PICTURE,
        "empty.txt": b"",
        "noise.dat": texts.noise(4000),
        "w" * 200 + ".txt": b"a long name\n",
        "a folder with words/and/another folder/deep.txt": b"deep\n",
    }
    repo = _repo(lab, "files", here | kinds, by=ada, large={"weights.bin": texts.noise(20_000)})
    _commit(repo, named, {}, by=ada, title="Add the shards")
    title = "Say in one line what would better be said in several, because the title has no end and goes on and on"
    _commit(repo, {"source.py": texts.SOURCE.encode() + b"\n"}, {}, by=ada, title=title, more="And\nthe rest.\n" * 4)
    actor = Actor(user=ada)
    content.create_branch(repo, "a-branch-with-a-name-that-has-no-room-on-the-page", start="main", by=actor)
    content.create_tag(repo, "v1.0", revision="main", message="", by=actor)
    return repo


def _kinds(lab: Namespace, ada: User) -> None:
    """lab/kinds: files that are shown in part, by a guess, or not."""
    here = {
        "README.md": b"# Kinds\n",
        "café.txt": "Un café crème, s’il vous plaît\n".encode("windows-1252"),
        "log.csv": texts.LONG_TABLE.encode(),
    }
    _repo(lab, "kinds", here, by=ada, large={"scan.png": bytes(MAX_IMAGE_BYTES + 1)})


def _unsent(lab: Namespace, ada: User) -> None:
    """lab/unsent: the mail that asks the reader of its address could not be sent."""
    repo = _repo(lab, "unsent", {"README.md": b"# Unsent\n"}, by=ada, gated="manual")
    with transaction.atomic():  # Or the worker of the stage might have sent it already.
        repos.change_settings(repo, {"gatedNotificationsEmail": "desk@no-such-host.example"}, by=Actor(user=ada))
        deliveries = Delivery.objects.filter(message__repo=repo)
        assert deliveries.update(state=Delivery.State.DEAD, problem="550 5.1.2 no such host") == 1
        ConfirmationMail.objects.filter(repo=repo).update(problem="550 5.1.2 no such host")


def _others(lab: Namespace, ada: User) -> None:
    """A repo for each further thing that a page can say."""
    card = b"---\nlicense: mit\ntags: [audio]\n---\n# Rows\n"
    automatic = _repo(lab, "automatic", {"README.md": card}, by=ada, gated="auto", type_="dataset")
    _ask(automatic, "sam", {})
    _repo(lab, "rows", {"README.md": card, "rows.jsonl": b'{"a": 1}\n' * 9}, by=ada, type_="dataset")
    _repo(lab, "empty", {}, by=ada)
    _repo(lab, "hidden", {"README.md": b"# Hidden\n"}, by=ada, private=True)
    _repo(lab, "quiet", {"README.md": b"# Quiet\n"}, by=ada, gated="manual")
    broken = _repo(lab, "broken", {"README.md": b"# Whole\n"}, by=ada, gated="manual")
    _commit(broken, {"README.md": texts.BROKEN_CARD.encode()}, {}, by=ada, title="Break the card")
    _repo(lab, "latin", {"README.md": "# Café\n".encode("latin-1")}, by=ada)
    any_html = {"README.md": texts.ANY_HTML_CARD.encode(), "loss.svg": texts.PICTURE}
    _repo(lab, "any-html", any_html, by=ada, gated="manual")
    disabled = _repo(lab, "disabled", {"README.md": b"# Disabled\n"}, by=ada)
    Repo.objects.filter(pk=disabled.pk).update(disabled=True)
    _repo(lab, "elsewhere", {"README.md": texts.EUROPE_CARD.encode()}, by=ada, gated="manual")
    for number in range(31):  # More than a page of a list.
        _repo(lab, f"small-{number:02}", {"README.md": card}, by=ada)


def _lost(lab: Namespace, ada: User) -> None:
    """One whose row holds what no code writes: its page is the server's fault."""
    lost = _repo(lab, "lost", {"README.md": b"# Lost\n"}, by=ada)
    Repo.objects.filter(pk=lost.pk).update(card_data=[])


def _bulk_done(research: Repo, ada: User) -> int:
    """One that ended, and left some as they were."""
    review = bulk.start(repo=research, chosen=RequestFilter("accepted"), status="rejected", by=Actor(user=ada))
    BulkReview.objects.filter(pk=review.pk).update(
        total=40, decided=37, refused=3, finished_at=timezone.now(),
        refusals=[
            [name, f"The request of {name} was rejected by wes already."] for name in ("sam", texts.LONG_USER, "noor")
        ],
    )  # fmt: skip
    return review.pk


def _bulk_running(lab: Namespace, ada: User) -> int:
    """One that no worker carries out, so that it is under way for as long as it is looked at."""
    repo = _repo(lab, "busy", {"README.md": b"# Busy\n"}, by=ada, gated="manual")
    _readers(repo, 3, {}, "waiter")
    actor = Actor(user=ada)
    review = bulk.start(repo=repo, chosen=RequestFilter("pending"), status="rejected", reason=texts.REASON, by=actor)
    BulkReview.objects.filter(pk=review.pk).update(total=1400, decided=420)
    return review.pk


def _queue(lab: Namespace, ada: User) -> int:
    """One that was stopped, in a repo which accepts at once while some of before still wait."""
    repo = _repo(lab, "queue", {"README.md": b"# Queue\n"}, by=ada, gated="manual")
    _readers(repo, 3, {}, "early")
    by = Actor(user=ada)
    review = bulk.start(repo=repo, chosen=RequestFilter("pending"), status="rejected", by=by)
    BulkReview.objects.filter(pk=review.pk).update(total=1400, decided=420)
    bulk.stop(review, by=by)
    repos.change_settings(repo, {"gated": "auto"}, by=by)
    return review.pk


def _tokens(ada: User, research: Repo) -> None:
    places: Iterable[Scope] = [
        Scope(TokenScope.Permission.CONTENT_READ, repo=research),
        Scope(TokenScope.Permission.CONTENT_READ, namespace=research.namespace),
    ]
    make = tokens.create
    make(user=ada, name="laptop", role="write", by=SYSTEM)
    later = timezone.now() + datetime.timedelta(days=30)
    make(user=ada, name="n" * 100, role="read", expires_at=later, by=SYSTEM)
    make(user=ada, name="ci of the lab", role="fine-grained", scopes=places, can_read_gated=True, by=SYSTEM)
    old, _ = make(user=ada, name="old", role="read", expires_at=later, by=SYSTEM)
    past = timezone.now() - datetime.timedelta(days=3)
    AccessToken.objects.filter(pk=old.pk).update(expires_at=past, last_used_at=past)
