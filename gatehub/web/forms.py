"""Forms of the pages."""

from __future__ import annotations

import datetime
from collections.abc import Sequence
from typing import Any

from django import forms
from django.utils import timezone

from access import selectors
from access.models import AccessToken, TokenScope
from access.tokens import Scope
from accounts import names
from accounts.actor import Actor
from accounts.errors import InvalidFields
from accounts.models import Namespace, User
from repos.models import Repo

MOST_REPOS = 50


def _fullname(given: str) -> str:
    """The full name as it is kept; what is wrong with it, at its field."""
    try:
        return names.clean_fullname(given)
    except InvalidFields as error:
        raise forms.ValidationError(error.fields["fullname"]) from None


class SignUpForm(forms.Form):
    """What sign-up asks besides user name, address and password.  The name is what owners see of a requester."""

    fullname = forms.CharField(label="Full name", max_length=120, widget=forms.TextInput(attrs={"dir": "auto"}))

    field_order = ["username", "fullname", "email", "password1", "password2"]

    def clean_fullname(self) -> str:
        return _fullname(self.cleaned_data["fullname"])

    def signup(self, request: Any, user: User) -> None:
        """allauth's hook, after the account was saved by `AccountAdapter.save_user`, which reads the name itself."""


class ProfileForm(forms.ModelForm):  # type: ignore[type-arg]  # Generic in the stubs only.
    """What a person says of themselves."""

    class Meta:
        model = User
        fields = ["fullname"]
        widgets = {"fullname": forms.TextInput(attrs={"dir": "auto"})}
        help_texts = {
            "fullname": "Authors see it with your access requests. Requests that you have sent keep the old one."
        }

    def clean_fullname(self) -> str:
        return _fullname(self.cleaned_data["fullname"])


class OrganizationForm(forms.Form):
    """What an organization says of itself."""

    fullname = forms.CharField(
        label="Full name",
        required=False,
        help_text="The heading of its page. Left empty, the heading is the name.",
        widget=forms.TextInput(
            attrs={"maxlength": names.FULLNAME_MAX_LENGTH, "autocomplete": "organization", "dir": "auto"}
        ),
    )

    def clean_fullname(self) -> str:
        return _fullname(self.cleaned_data["fullname"])


class NewOrganizationForm(OrganizationForm):
    """A new organization.  Which names are possible is the service's to say."""

    name = forms.CharField(
        label="Name",
        help_text="The first half of the id of each of its repositories. It cannot be changed later.",
        widget=forms.TextInput(
            attrs={
                "maxlength": names.NAMESPACE_MAX_LENGTH,
                "autocomplete": "off",
                "autocapitalize": "none",
                "spellcheck": "false",
            }
        ),
    )

    field_order = ["name", "fullname"]


class RepoForm(forms.Form):
    """A new repo.  Which names are possible is the service's to say."""

    type = forms.ChoiceField(label="Type", choices=Repo.Type, widget=forms.RadioSelect, initial=Repo.Type.MODEL)
    namespace = forms.CharField(label="Owner", max_length=42)
    name = forms.CharField(
        label="Name",
        max_length=96,
        widget=forms.TextInput(attrs={"autocomplete": "off", "autocapitalize": "none", "spellcheck": "false"}),
    )
    visibility = forms.ChoiceField(
        label="Visibility",
        choices=[("public", "Public"), ("private", "Private")],
        widget=forms.RadioSelect,
        initial="public",
        help_text="A private repository is seen by its owner alone, or by the members of the organization.",
    )

    def __init__(self, *args: Any, namespaces: Sequence[str], **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["namespace"].widget = forms.Select(choices=[(name, name) for name in namespaces])


class CommitForm(forms.Form):
    """What is said about a commit, and the head of main that its author had seen."""

    title = forms.CharField(label="Commit title", max_length=200, required=False)
    description = forms.CharField(
        label="Longer description",
        max_length=10_000,
        required=False,
        widget=forms.Textarea(attrs={"rows": 3}),
    )
    parent = forms.RegexField(r"^[0-9a-f]{40}$", widget=forms.HiddenInput)


class TokenForm(forms.Form):
    """A new user access token.  The names of the fields are those of `access.tokens.create`, for its errors."""

    name = forms.CharField(
        label="Name",
        max_length=100,
        help_text="What it is for, such as the machine it lives on.",
        widget=forms.TextInput(attrs={"autocomplete": "off"}),
    )
    role = forms.ChoiceField(
        label="Role", choices=AccessToken.Role, widget=forms.RadioSelect, initial=AccessToken.Role.READ
    )
    permissions = forms.MultipleChoiceField(
        label="Permissions", choices=TokenScope.Permission, required=False, widget=forms.CheckboxSelectMultiple
    )
    namespaces = forms.MultipleChoiceField(
        label="On all repositories of", required=False, widget=forms.CheckboxSelectMultiple
    )
    repos = forms.CharField(
        label="On these repositories",
        required=False,
        max_length=8000,
        help_text="One a line: <code>lab/base</code> for a model, <code>datasets/lab/rows</code> for a dataset.",
        widget=forms.Textarea(attrs={"rows": 3, "spellcheck": "false", "autocapitalize": "none"}),
    )
    can_read_gated = forms.BooleanField(label="Read gated repositories that you have access to", required=False)
    expires_at = forms.DateField(
        label="Expires after",
        required=False,
        help_text="The last day on which it works (UTC). Empty: it works until you revoke it.",
        widget=forms.DateInput(attrs={"type": "date"}),
    )

    def __init__(self, *args: Any, actor: Actor, namespaces: Sequence[str], **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.actor = actor
        self.fields["namespaces"].choices = [(name, name) for name in namespaces]  # type: ignore[attr-defined]

    def clean_expires_at(self) -> datetime.datetime | None:
        day: datetime.date | None = self.cleaned_data["expires_at"]
        if day is None:
            return None
        if day > timezone.now().date() + datetime.timedelta(days=36_500):
            raise forms.ValidationError("That is more than a hundred years from now.")
        return datetime.datetime.combine(day, datetime.time.max, tzinfo=datetime.UTC)

    def clean_repos(self) -> list[Repo]:
        ids = list(dict.fromkeys(self.cleaned_data["repos"].split()))
        if len(ids) > MOST_REPOS:
            raise forms.ValidationError(f"Name at most {MOST_REPOS} repositories.")
        found = {repo_id: self._find(repo_id) for repo_id in ids}
        missing = [repo_id for repo_id, repo in found.items() if repo is None]
        if missing:
            raise forms.ValidationError(f"There is no repository {missing[0]}.")
        return [repo for repo in found.values() if repo is not None]

    def _find(self, repo_id: str) -> Repo | None:
        """The repo, if the person may know of it."""
        type_ = Repo.Type.DATASET if repo_id.startswith("datasets/") else Repo.Type.MODEL
        namespace, _, name = repo_id.removeprefix("datasets/").removeprefix("models/").partition("/")
        visible = selectors.visible_repos(self.actor)
        return visible.filter(pk__in=Repo.objects.with_id(type_, namespace, name).values("pk")).first()

    def clean(self) -> dict[str, Any]:
        data: dict[str, Any] = super().clean() or {}
        if data.get("role") != AccessToken.Role.FINE_GRAINED or self.errors:
            return data
        named = bool(data.get("namespaces") or data.get("repos"))
        if bool(data.get("permissions")) != named:
            self.add_error("permissions" if named else "repos", "Say both what is allowed and where.")
        elif not named and not data.get("can_read_gated"):
            self.add_error("permissions", "A fine-grained token needs a permission, or it opens nothing.")
        return data

    def arguments(self) -> dict[str, Any]:
        """What `access.tokens.create` takes, once the form is valid."""
        data = self.cleaned_data
        arguments = {key: data[key] for key in ("name", "role", "expires_at")}
        if data["role"] != AccessToken.Role.FINE_GRAINED:
            return arguments
        places = [Scope("", namespace=place) for place in Namespace.objects.filter(name__in=data["namespaces"])]
        places += [Scope("", repo=repo) for repo in data["repos"]]
        scopes = [
            Scope(permission, namespace=place.namespace, repo=place.repo)
            for permission in data["permissions"]
            for place in places
        ]
        return arguments | {"scopes": scopes, "can_read_gated": data["can_read_gated"]}
