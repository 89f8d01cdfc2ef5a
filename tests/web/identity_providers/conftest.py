"""People who come by identity providers, on a running server that an operator has told of them.

`company` is an OpenID Connect provider; `trusted` is the same one, trusted with addresses.
"""

from __future__ import annotations

import itertools
import json

import pytest

from tests.support.hub import PASSWORD
from tests.support.identity_provider import Browser

_numbers = itertools.count(1)


@pytest.fixture
def fresh(worker_id):
    """A name that nobody has, here or there."""
    return lambda: f"zoe-{worker_id}-{next(_numbers)}"


@pytest.fixture
def run(server_with_providers):
    """`run(script)`: what the script prints as JSON, within the product."""
    prelude = (
        "import json\n"
        "from accounts import services\nfrom accounts.actor import SYSTEM\n"
        "from accounts.models import AuditEvent, User\n"
        "from allauth.account.models import EmailAddress\nfrom allauth.socialaccount.models import SocialAccount\n"
        "from notifications.models import Delivery\n"
    )

    def in_product(script):
        return json.loads(server_with_providers.manage("shell", "-v0", "-c", prelude + script) or "null")

    return in_product


@pytest.fixture
def account(run):
    """`account(name)`: somebody who signed up with a password, whose address is verified."""

    def make(name):
        said = f"username={name!r}, email={name + '@example.org'!r}, password={PASSWORD!r}, by=SYSTEM"
        run(f"services.create_user({said}); print(json.dumps(1))")

    return make


@pytest.fixture
def browser(server_with_providers):
    return lambda: Browser(server_with_providers)
