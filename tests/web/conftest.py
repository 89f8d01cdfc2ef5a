"""What several tests of the pages begin with."""

from __future__ import annotations

import pytest

from access import services
from accounts.actor import Actor
from tests.support.cast import ANSWERS


@pytest.fixture
def asked(gated_repo, sam, noor):
    """Requests for lab/toxic-bert: sam's and, from elsewhere, noor's."""
    answers = [ANSWERS, ANSWERS | {"Company": "Université de Genève"}]
    return [
        services.ask(repo=gated_repo, answers=given, by=Actor(user=user))
        for user, given in zip([sam, noor], answers, strict=True)
    ]
