"""What is secret of an account mail, while it waits."""

import pytest

from notifications import sealed
from notifications.sealed import CannotOpen

SAID = {"subject": "Réinitialiser", "text": "https://hub.example.org/reset/abc", "html": ""}


def test_what_was_sealed_opens_and_cannot_be_read_before():
    closed = sealed.seal(SAID)
    assert "reset" not in closed
    assert sealed.open_(closed) == SAID


def test_a_key_that_was_replaced_opens_it_while_it_is_a_fallback(settings):
    closed, old = sealed.seal(SAID), settings.SECRET_KEY
    settings.SECRET_KEY = "another-secret-key-of-this-server-now"
    with pytest.raises(CannotOpen, match="GATEHUB_SECRET_KEY"):
        sealed.open_(closed)
    settings.SECRET_KEY_FALLBACKS = [old]
    assert sealed.open_(closed) == SAID


@pytest.mark.parametrize("broken", ["", "gAAAAA", "ü" * 40])
def test_what_was_changed_does_not_open(broken):
    with pytest.raises(CannotOpen):
        sealed.open_(broken)


def test_a_changed_letter_is_noticed():
    closed = sealed.seal(SAID)
    middle = len(closed) // 2
    with pytest.raises(CannotOpen):
        sealed.open_(closed[:middle] + ("A" if closed[middle] != "A" else "B") + closed[middle + 1 :])
