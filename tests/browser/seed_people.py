"""The people of the browser tests: their accounts, sessions, factors, and where they sign in."""

from __future__ import annotations

import json
import time
from collections.abc import Sequence

from allauth.account.models import EmailAddress
from allauth.mfa.models import Authenticator
from allauth.mfa.recovery_codes.internal.auth import RecoveryCodes
from allauth.mfa.webauthn.internal.auth import WebAuthn
from allauth.socialaccount.adapter import get_adapter
from allauth.socialaccount.models import SocialAccount
from django.contrib.auth import BACKEND_SESSION_KEY, HASH_SESSION_KEY, SESSION_KEY
from django.contrib.auth.hashers import make_password
from django.contrib.sessions.backends.db import SessionStore
from django.db import transaction
from django.test.utils import override_settings

from access import tokens
from accounts import services as accounts
from accounts import standing
from accounts.actor import SYSTEM
from accounts.models import User
from gatehub import identities
from notifications import addresses
from notifications.models import AddressProblem
from tests.browser import texts
from tests.support.authenticator import give_app
from tests.support.hub import PASSWORD


@transaction.atomic
def more_people(names: Sequence[str]) -> None:
    """Make people who have done nothing yet, with tokens, and print them as one line of JSON."""
    with override_settings(PASSWORD_HASHERS=["django.contrib.auth.hashers.MD5PasswordHasher"]):
        users = [person(name, name.title()) for name in names]
    password = make_password(PASSWORD)
    for user in users:
        user.password = password
        user.save(update_fields=["password"])
    print(json.dumps({user.username: entry(user, with_token=True) for user in users}))


def without_password(name: str) -> None:
    """Take somebody's password, as if an identity provider had made the account, and print their new session."""
    user = User.objects.get(username=name)
    take_password(user)
    print(entry(user)["session"])


def entry(user: User, with_token: bool = False, has_confirmed: bool = False) -> dict[str, str]:
    """What a browser and a client of that person send.  `has_confirmed`: with the second factor, for long enough."""
    session = SessionStore()
    if has_confirmed:
        app = Authenticator.objects.get(user=user, type="totp")
        later = time.time() + 3600  # A run takes longer than a confirmation is good for.
        record = {"method": "mfa", "at": later, "id": app.pk, "type": app.type, "reauthenticated": True}
        session["account_authentication_methods"] = [record | {"at": time.time()}, record]
        session["account_authentication_methods_user"] = str(user.pk)
    session[SESSION_KEY] = str(user.pk)
    session[BACKEND_SESSION_KEY] = "accounts.backends.Backend"
    session[HASH_SESSION_KEY] = user.get_session_auth_hash()
    session.create()
    token = ""
    if with_token:
        token = tokens.create(user=user, name="for tests", role="write", by=SYSTEM)[1]
    return {"session": session.session_key or "", "token": token}


def newcomer() -> dict[str, str]:
    """Somebody whom an identity provider has sent, and who has no account yet."""
    claims = {"sub": "1", "email": "newcomer@example.org", "email_verified": True, "name": texts.LONG_FULLNAME}
    arrived = get_adapter().get_provider(None, "company").sociallogin_from_response(None, claims)
    session = SessionStore()
    session["socialaccount_sociallogin"] = arrived.serialize()
    session.create()
    return {"session": session.session_key or "", "token": ""}


def connected(user: User) -> int:
    """With accounts elsewhere, one of them at a provider that is not offered any more.  Says the key of a long one."""
    said = {
        "company": {"email": "pia@example.org"},
        "github": {"email": f"{'a-long-address-' * 12}@example.org"},
        "former": {"username": "pia"},
    }
    for provider, known in said.items():
        identity = SocialAccount(provider=provider, uid=provider, extra_data=known)
        identities.connect(user, identity, provider=provider, by=SYSTEM)
    return SocialAccount.objects.get(provider="github").pk


def second_factors(stella: User) -> int:
    """An app, a key, and recovery codes of a superuser.  Says the key of the key's row."""
    standing.set_rights(stella, by=SYSTEM, is_staff=True, is_superuser=True)
    give_app(stella)
    RecoveryCodes.activate(stella)
    return WebAuthn.add(stella, "k" * 60, texts.CREDENTIAL).instance.pk


def stopped(user: User) -> None:
    """Addresses to which no mail goes: one that may be used again, one that may not."""
    long = f"{'a' * 60}@{'b' * 60}.example.org"
    EmailAddress.objects.create(user=user, email=long, verified=True)
    EmailAddress.objects.create(user=user, email="not-mine@example.org", verified=False)
    addresses.mark(address=long, what=AddressProblem.What.BOUNCED, detail=f"550 5.1.1 {'x' * 200} no such user")
    addresses.mark(address="not-mine@example.org", what=AddressProblem.What.COMPLAINED)


def person(name: str, fullname: str) -> User:
    address = f"{name}@example.org"
    return accounts.create_user(username=name, email=address, password=PASSWORD, fullname=fullname, by=SYSTEM)


def take_password(user: User) -> None:
    """As somebody who signs in with another account of theirs."""
    user.set_unusable_password()
    user.save(update_fields=["password"])
