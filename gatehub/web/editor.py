"""The editor of a repo's card: `README.md` beside the page and the gate that it makes, committed from the browser.

What was typed outlives the session: it is kept until its writer has signed in, see `unsent`, and shown again where a
sign-in in another tab has made a new CSRF token.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import wraps
from typing import Any, Final

from django.contrib import messages
from django.contrib.auth.views import redirect_to_login
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.template.loader import render_to_string
from django.urls import reverse
from django.utils.safestring import SafeString
from django.views.decorators.csrf import csrf_exempt

from access import policy
from access.policy import Action
from accounts.actor import Actor
from accounts.errors import BadRequest, HubError, NotAllowed, TooLarge
from gatehub.authentication import is_of_this_site
from gatehub.errors import FormExpired, OthersForm
from gatehub.hub.base import page_name
from gatehub.web import unsent
from gatehub.web.base import (
    FORM,
    SHOW,
    View,
    find_repo,
    in_words,
    is_partial,
    large_form,
    only,
    person,
    render_private,
    signed_in,
)
from gatehub.web.forms import CommitForm
from gatehub.web.gate import Gate, preview_of
from gatehub.web.repo import header, rendered_card
from repos import cards, content
from repos.errors import ConcurrentCommit, EntryNotFound, RevisionNotFound, StaleParent
from repos.git import AddBlob, CommitInfo
from repos.models import Repo

MOST_BYTES = 6 * content.CARD_MAX_BYTES + 64 * 1024
"""Of a form: browsers send a line end, of which a text may consist, as the six characters %0D%0A."""
MOST_UNSENT_BYTES = 3 * unsent.MAX_TEXT_BYTES + 64 * 1024
"""Of a form without a session, in which a byte of a text is up to three characters: nobody fills the memory."""
SHOWN_OF_A_LINE = 200


@dataclass(frozen=True, slots=True)
class Written:
    """README.md at the head of main.

    `text` has plain newlines; it is None where there is no file, or one that cannot be edited here: `closed` says why.
    """

    head: str
    text: str | None = None
    newline: str = "\n"
    closed: str = ""

    @property
    def exists(self) -> bool:
        return self.text is not None or bool(self.closed)

    def bytes_of(self, text: str) -> bytes:
        """The file that the text would be: the last line ends, and lines end as they do now."""
        return _finished(text).replace("\n", self.newline).encode()


_FOR_AUTHORS: Final = {
    cards.NO_METADATA: "The card has no metadata, so nothing is known of its license or language. Lines such as "
    "'license: apache-2.0' tell them, at its beginning, between two lines of three hyphens.",
}
"""What clients are told in the Hub's words, for whoever edits the card."""


@dataclass(frozen=True, slots=True)
class Problem:
    """Why the text makes no card; `typed` is the line as it was typed, cut short, or ""."""

    reason: str
    line: int | None
    typed: str


@dataclass(frozen=True, slots=True)
class Look:
    """What a text would look like as the card; or its problems."""

    problems: list[Problem] = field(default_factory=list)
    warnings: list[str] = field(default_factory=list)
    card: SafeString | None = None
    gate: Gate | None = None


@dataclass(frozen=True, slots=True)
class Meanwhile:
    """Somebody else's commit, since the editor was opened; `changed` tells whether it changed the card."""

    commit: CommitInfo
    changed: bool


class NotKept(NotAllowed):
    """A form whose session has ended, and which could not be kept."""

    default_message = "You have been signed out. What you typed could not be kept here, and nothing was saved."
    _NEXT_STEP = (
        "Go back with your browser's Back button, and copy what you have typed. Then sign in and paste it: {url}"
    )

    def __init__(self, editor: str) -> None:
        super().__init__(next_step=self._NEXT_STEP, help_path=_sign_in_for(editor))


class TooLongToKeep(NotKept):
    status = TooLarge.status
    default_message = "You have been signed out. What you typed is too long to be kept here, and nothing was saved."


def keeps_text(view: View) -> View:
    """Keep the text of a form whose session has ended; a preview that is asked for while one types says so instead."""

    @csrf_exempt
    @wraps(view)
    def guarded(request: HttpRequest, **where: str) -> HttpResponse:
        if request.user.is_authenticated or request.method not in FORM:
            return view(request, **where)
        if is_partial(request):
            context = {"sign_in": _sign_in_for(_address("repo", where))}
            return render_private(request, "repo/_edit_signed_out.html", context)  # 200: htmx shows no other.
        try:
            return _keep(request, **where)
        except TooLarge:
            raise TooLongToKeep(_address("edit_card", where)) from None

    return guarded


def _not_kept(request: HttpRequest, **where: str) -> HttpResponse:
    raise NotKept(_address("edit_card", where))


@large_form(MOST_UNSENT_BYTES, expired=_not_kept)
def _keep(request: HttpRequest, **where: str) -> HttpResponse:
    editor, typed = _address("edit_card", where), _fields(request)
    if "text" in request.POST:
        if not unsent.fits(typed):
            raise TooLongToKeep(editor)
        if not unsent.keep_card(request, editor, typed, by=request.POST.get("by", "")):
            raise NotKept(editor)
        messages.info(request, "You were signed out. What you typed is kept for an hour: sign in, and go on with it.")
    return redirect_to_login(editor)


def _shown_again(request: HttpRequest, **where: str) -> HttpResponse:
    """The editor with the text as it was typed, of which nothing was saved: a sign-in in another tab has made a new
    CSRF token.  The preview beside it, which changes nothing, goes on.

    Raises FormExpired for what another site sends, and for another person than the one who had opened the editor.
    """
    if not is_of_this_site(request):
        raise FormExpired
    actor, repo = find_repo(request, Action.FILES_WRITE, where)
    if request.POST.get("by") != person(request).public_id:
        raise OthersForm("Nothing was saved.", help_path=_address("edit_card", where))
    written, text = _written(repo), _typed(request)
    if is_partial(request):
        return _part(request, actor, repo, written, text)
    return _editor(request, actor, repo, written, text, CommitForm(initial=_fields(request)), lost="token", status=403)


def _fields(request: HttpRequest) -> dict[str, str]:
    return {name: request.POST.get(name, "") for name in ("text", *CommitForm.base_fields)}


def _address(name: str, where: Mapping[str, str]) -> str:
    """Of a page of the repo that the address names, which need not be there."""
    return reverse(page_name(name, where["repo_type"]), args=[where["namespace"], where["name"]])


def _sign_in_for(path: str) -> str:
    return redirect_to_login(path).url


@keeps_text
@signed_in
@only(*SHOW, *FORM)
@large_form(MOST_BYTES, expired=_shown_again)
def edit(request: HttpRequest, **where: str) -> HttpResponse:
    """`/{repo_id}/edit/main/README.md`"""
    actor, repo = find_repo(request, Action.FILES_WRITE, where)
    written = _written(repo)
    if request.method == "POST":
        return _save(request, actor, repo, written)
    if written.closed:
        return _render(request, actor, repo, written, "repo/edit_closed.html", {})
    kept = unsent.take_card(request, _address("edit_card", where)) if request.method == "GET" else None
    if kept is not None:
        return _editor(request, actor, repo, written, _plain(kept["text"]), CommitForm(initial=kept), lost="session")
    text = _first_card(repo) if written.text is None else written.text
    return _editor(request, actor, repo, written, text, CommitForm(initial={"parent": written.head}))


@keeps_text
@signed_in
@only(*FORM, up=0)
@large_form(MOST_BYTES, expired=_shown_again)
def preview(request: HttpRequest, **where: str) -> HttpResponse:
    """`/{repo_id}/edit/preview`: what the text looks like; the whole editor for browsers without scripts."""
    actor, repo = find_repo(request, Action.FILES_WRITE, where)
    written, text = _written(repo), _typed(request)
    if is_partial(request):
        return _part(request, actor, repo, written, text)
    return _editor(request, actor, repo, written, text, CommitForm(initial=_fields(request)))


def _part(request: HttpRequest, actor: Actor, repo: Repo, written: Written, text: str) -> HttpResponse:
    """What the script gets while somebody types."""
    context = {"repo": repo, "look": _look(repo, actor, written, text), "partial": True}
    return render_private(request, "repo/_edit_preview.html", context)


def _save(request: HttpRequest, actor: Actor, repo: Repo, written: Written) -> HttpResponse:
    """Commit what was typed.  Whatever is wrong, nothing changes and the page keeps the text."""
    text, form = _typed(request), CommitForm(request.POST)
    if "parent" in form.errors:
        raise _incomplete()
    look = _look(repo, actor, written, text)
    if look.problems or not form.is_valid():
        return _editor(request, actor, repo, written, text, form, look=look, status=400)
    if _finished(text) == _finished(written.text or ""):
        messages.info(request, "Nothing has changed, so there is nothing to commit.")
        return redirect(f"{repo.path}/edit/main/README.md")
    data = form.cleaned_data
    blob = content.open_git(repo).stage_blob(written.bytes_of(text))
    new = content.NewCommit(
        title=" ".join(data["title"].split()) or _default_title(written),
        description=data["description"],
        operations=[AddBlob(content.CARD, blob)],
        parent=data["parent"],
    )
    try:
        content.commit(repo, content.MAIN, new, by=actor)
    except (StaleParent, ConcurrentCommit):
        return _conflict(request, actor, repo, text, look)
    except BadRequest as error:
        return _editor(request, actor, repo, written, text, form, look=look, refused=error, status=error.status)
    _tell(request, repo)
    return redirect(repo)


def _tell(request: HttpRequest, repo: Repo) -> None:
    before = repo.gate_form_id
    repo.refresh_from_db()
    if repo.is_gated and repo.gate_form_id != before:
        messages.success(
            request,
            f"The {repo.type} card is saved. From now on the gate shows its new form; requests that were sent before "
            "keep the form that they answered.",
        )
    else:
        messages.success(request, f"The {repo.type} card is saved.")


def _conflict(request: HttpRequest, actor: Actor, repo: Repo, text: str, look: Look) -> HttpResponse:
    """Somebody else was faster: show what they did, and offer to save on top of it."""
    written = _written(repo)
    form = CommitForm(initial=request.POST.dict() | {"parent": written.head})
    meanwhile = Meanwhile(
        commit=content.open_git(repo).commits(written.head, limit=1)[0],
        changed=_card_oid(repo, request.POST["parent"]) != _card_oid(repo, written.head),
    )
    return _editor(request, actor, repo, written, text, form, look=look, meanwhile=meanwhile, status=409)


def _card_oid(repo: Repo, commit: str) -> str:
    """The sha-1 of the card at a commit, empty where there is neither card nor commit."""
    try:
        git = content.open_git(repo)
        return git.entry(git.resolve_revision(commit), content.CARD).oid
    except (EntryNotFound, RevisionNotFound):
        return ""


def _editor(
    request: HttpRequest,
    actor: Actor,
    repo: Repo,
    written: Written,
    text: str,
    form: CommitForm,
    *,
    look: Look | None = None,
    refused: HubError | None = None,
    meanwhile: Meanwhile | None = None,
    lost: str = "",
    status: int = 200,
) -> HttpResponse:
    """The page, with `text` as it was typed.  `lost` says what kept it from being saved: `session`, or CSRF `token`."""
    form.fields["title"].widget.attrs["placeholder"] = _default_title(written)
    context = {
        "form": form,
        "text": text,
        "unsaved": text != (_first_card(repo) if written.text is None else written.text),
        "look": look or _look(repo, actor, written, text),
        "refused": in_words(request, refused) if refused else "",
        "not_saved": status == BadRequest.status,
        "meanwhile": meanwhile,
        "lost": lost,
    }
    return _render(request, actor, repo, written, "repo/edit.html", context, status=status)


def _render(
    request: HttpRequest,
    actor: Actor,
    repo: Repo,
    written: Written,
    template: str,
    context: dict[str, Any],
    *,
    status: int = 200,
) -> HttpResponse:
    can_change = policy.may(actor, Action.SETTINGS_CHANGE, repo)
    shared = header(repo, tab="card", can_change=can_change) | {"written": written}
    response = render(request, template, shared | context, status=status)
    # Not "no-store": with that, browsers do not bring back what was typed when one goes back to the page.
    response["Cache-Control"] = "private, no-cache"
    return response


def _written(repo: Repo) -> Written:
    """Read at the head itself, which a push that is under way may have moved past `repo.head_sha`."""
    git = content.open_git(repo)
    head = git.head(content.MAIN)
    if head is None:
        raise RevisionNotFound("There is no branch main, so there is nothing to edit.")
    try:
        entry = git.entry(head, content.CARD)
    except EntryNotFound:
        return Written(head)
    if entry.type != "file":
        return Written(head, closed="it is a folder")
    if entry.lfs is not None:
        return Written(head, closed="it is a large file (LFS), and a card must be text inside the repository")
    if entry.size > content.CARD_MAX_BYTES:
        return Written(head, closed=f"it has {entry.size:,} bytes, and a card at most {content.CARD_MAX_BYTES:,}")
    data = git.read_blob(entry.oid)
    try:
        text = data.decode("utf-8")
    except UnicodeDecodeError as error:
        line = data.count(b"\n", 0, error.start) + 1
        return Written(head, closed=f"it is not UTF-8 text (line {line})")
    if "\0" in text:  # No browser gives it back.
        line = text.count("\n", 0, text.index("\0")) + 1
        return Written(head, closed=f"it is not text: a NUL character stands on line {line}")
    windows = text.count("\r\n")
    newline = "\r\n" if 2 * windows > text.count("\n") else "\n"
    return Written(head, _plain(text), newline)


def _typed(request: HttpRequest) -> str:
    text = request.POST.get("text")
    if text is None:
        raise _incomplete()
    return _plain(text)


def _incomplete() -> BadRequest:
    return BadRequest("The form is not complete.", next_step="Load the editor again and repeat what you did.")


def _plain(text: str) -> str:
    """With plain newlines, as it stands in the editor; browsers send CR LF."""
    return text.replace("\r\n", "\n").replace("\r", "\n")


def _finished(text: str) -> str:
    """The last line ends, too."""
    return text if not text or text.endswith("\n") else f"{text}\n"


def _default_title(written: Written) -> str:
    return f"{'Update' if written.exists else 'Create'} {content.CARD}"


def _first_card(repo: Repo) -> str:
    """What the editor of a repo without a card starts with."""
    made = render_to_string(f"repo/first_{repo.type}_card.md", {"repo": repo})
    return "".join([made.strip(), "\n"])  # No SafeString any more: on the page it is a text like any other.


def _look(repo: Repo, actor: Actor, written: Written, text: str) -> Look:
    """Read the text as `validate-yaml` does, and render it as the repo's page does."""
    try:
        card = _read(text, written.bytes_of(text))
        spec = cards.form_of(card)
    except cards.CardError as error:
        return Look(problems=_problems(error, text.split("\n")))
    gated = repo.is_gated or spec != cards.FormSpec()
    return Look(
        warnings=[_FOR_AUTHORS.get(warning, warning) for warning in cards.warnings_of(card, repo.type)],
        card=rendered_card(repo, card.text),
        gate=preview_of(repo, spec, actor, keep=False) if gated else None,
    )


def _problems(error: cards.CardError, lines: list[str]) -> list[Problem]:
    def typed(number: int | None) -> str:
        return lines[number - 1][:SHOWN_OF_A_LINE] if number and number <= len(lines) else ""

    return [Problem(each.reason, each.line, typed(each.line)) for each in error.all]


def _read(text: str, data: bytes) -> cards.Card:
    if len(data) > content.CARD_MAX_BYTES:
        raise cards.CardError(f"the card is larger than {content.CARD_MAX_BYTES:,} bytes")
    if "\0" in text:
        line = text.count("\n", 0, text.index("\0")) + 1
        raise cards.CardError("the control character U+0000 is not allowed", line=line)
    return cards.read(text)
