"""As our own pages write them.  Django's for this language are American, and too wide for the lists of the admin."""

from __future__ import annotations

DATE_FORMAT = "j\xa0M\xa0Y"  # Broken, where there is no room, only before the time.
TIME_FORMAT = "H:i"
DATETIME_FORMAT = "j\xa0M\xa0Y, H:i"
