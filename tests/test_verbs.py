"""Every verb that any part of GateHub writes into the audit trail has words, and is found by what it is about."""

from __future__ import annotations

import re

import pytest

from accounts.audit import NOUNS, AuditEvent
from gatehub.web.history_words import WORDS, sentence
from tests.support.server import ROOT

APPS = ("accounts", "repos", "access", "notifications", "gatehub")
PERMISSIONS = {"access", "card", "files", "requests", "settings"}
"""What `access.policy` calls the things that one may do, in the same grammar."""
ADDRESSES = {"admin:index", "admin:login", "mfa_reauthenticate:webauthn"}
WHOLE = re.compile(r'"([a-z_]+:[a-z_]+)"')
BEGUN = re.compile(r'verb=f"([a-z_]+):\{')
SOURCES = {
    path: path.read_text()
    for app in APPS
    for path in (ROOT / app).rglob("*.py")
    if "migrations" not in path.parts and path.name not in ("history_words.py", "history_facts.py")
}
WRITTEN = {
    verb
    for text in SOURCES.values()
    for verb in WHOLE.findall(text)
    if verb.partition(":")[0] not in PERMISSIONS and verb not in ADDRESSES and not re.match("admin:[a-z]+_", verb)
}
NOUNS_BEGUN = {noun for text in SOURCES.values() for noun in BEGUN.findall(text)}
PARTS_OF_VERBS = {
    # Verbs that are put together: the noun in one place, what was done in another.
    "access_request": {"asked", "accepted", "rejected", "cancelled", "granted", "withdrawn"},
    "bulk_review": {"started", "finished", "stopped"},
    "mails": {"on", "off"},
    "notification_address": {"asked", "confirmed", "refused", "mailed", "mail_failed"},
}


def test_there_are_verbs_to_speak_of():
    assert {"repo:move", "repo:disable", "sign_in:failed", "admin:change", "audit:export"} <= WRITTEN
    assert set(PARTS_OF_VERBS) <= NOUNS_BEGUN


@pytest.mark.parametrize("verb", sorted(WRITTEN))
def test_a_verb_in_the_code_has_words(verb):
    assert verb in WORDS
    assert verb.partition(":")[0] in NOUNS


@pytest.mark.parametrize("noun", sorted(PARTS_OF_VERBS))
def test_a_verb_that_is_put_together_has_words(noun):
    assert {f"{noun}:{done}" for done in PARTS_OF_VERBS[noun]} == {
        verb for verb in WORDS if verb.startswith(f"{noun}:")
    }


def test_a_verb_put_together_is_named_here():
    assert not NOUNS_BEGUN - set(PARTS_OF_VERBS)


def test_there_are_no_words_for_what_nobody_writes():
    known = WRITTEN | {f"{noun}:{done}" for noun, parts in PARTS_OF_VERBS.items() for done in parts}
    assert not set(WORDS) - known
    assert not {noun for noun in NOUNS if not any(verb.startswith(f"{noun}:") for verb in known)}


def test_words_are_whole_sentences_whatever_is_in_the_row():
    for verb in WORDS:
        for before, after in ((None, None), ("a", "b"), ({"address": "a@b.c"}, {"address": "{who}"}), ([1], 7)):
            said = sentence(
                AuditEvent(verb=verb, target="sam on lab/x@refs/heads/{target}", before=before, after=after)
            )
            assert said
            assert said == said.strip()
    assert sentence(AuditEvent(verb="new_thing:done", target="it")) == "new thing: done"
