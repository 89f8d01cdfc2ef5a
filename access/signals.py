"""What `access` announces.  Sent inside the transaction of the change, so that what receivers write is stored with it."""

from __future__ import annotations

from django.dispatch import Signal

access_request_changed = Signal()
"""Arguments: `access_request`, `event` (`asked`, `accepted`, `rejected`, `cancelled`, `granted`, `withdrawn`), `by`."""
