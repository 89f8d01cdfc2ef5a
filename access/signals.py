"""What `access` announces: sent inside the transaction of the change, so that receivers write with it or not at all."""

from __future__ import annotations

from django.dispatch import Signal

access_request_changed = Signal()
"""Arguments: `access_request`, `event` (`asked`, `accepted`, `rejected`, `cancelled`, `granted`, `withdrawn`), `by`."""
