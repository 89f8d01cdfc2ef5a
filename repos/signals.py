"""What `repos` announces: sent inside the transaction of the change, so that receivers write with it or not at all."""

from __future__ import annotations

from django.dispatch import Signal

confirmation_mail_due = Signal()
"""Argument: `mail`, a `ConfirmationMail` that is to be sent once the transaction is certain."""
