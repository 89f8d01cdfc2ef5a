"""What people do there, and what is written down of it."""

from __future__ import annotations

from tests.support.hub import PASSWORD
from tests.support.identity_provider import leads_to


def arrives(someone, provider, identity_provider, subject, **form):
    return someone.open(identity_provider.signs_in(someone.goes_to(provider, **form), subject))


def signs_in_by_password(someone, name):
    someone.submit("/login", login=name, password=PASSWORD)
    assert someone.whoami() == name


def confirmed(someone, path, **form):
    """Sends a form, and the password that is asked for on the way; the last answer."""
    asked = someone.submit(path, **form)
    assert "/account/confirm?next=" in asked.url
    return someone.submit(asked.url.removeprefix(someone.url), password=PASSWORD)


def connects(someone, provider, identity_provider, subject):
    page = confirmed(someone, f"/login/with/{provider}", process="connect")
    return someone.open(identity_provider.signs_in(leads_to(page), subject))


def connections(run, name):
    found = f"SocialAccount.objects.filter(user__username={name!r}).values_list('provider', flat=True)"
    return run(f"print(json.dumps(sorted({found})))")


def trail(run, name):
    rows = f"AuditEvent.objects.filter(target={name!r}).order_by('pk').values_list('verb', flat=True)"
    return run(f"print(json.dumps(list({rows})))")


def subjects_of_mails(run, name):
    rows = f"Delivery.objects.filter(address={name + '@example.org'!r}).order_by('pk')"
    opened = "from notifications import sealed\nopened = lambda row: sealed.open_(row.message.sealed)['subject']\n"
    return run(opened + f"print(json.dumps([opened(row) for row in {rows}]))")
