"""What `access` announces: sent inside the transaction of the change, so that receivers write with it or not at all."""

from __future__ import annotations

from django.dispatch import Signal

access_requests_changed = Signal()
"""Arguments: `access_requests`, one or many to which the same happened; `event` (`asked`, `accepted`, `rejected`,
`cancelled`, `granted`, `withdrawn`); `by`."""

access_token_created = Signal()
"""Arguments: `token`, an `AccessToken`; `by`."""
