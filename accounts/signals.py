"""What `accounts` announces: sent inside the transaction of the change, so that receivers write with it, or not."""

from __future__ import annotations

from django.dispatch import Signal

account_closed = Signal()
"""Arguments: `user`; `by`."""
