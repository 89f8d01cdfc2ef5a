"""Times as lists of requests show them."""

from __future__ import annotations

from datetime import date, datetime, time, timedelta
from functools import lru_cache
from typing import NamedTuple

from django.contrib.humanize.templatetags.humanize import NaturalTimeFormatter, naturaltime
from django.utils import timezone
from django.utils.timesince import timesince

WEEK = timedelta(days=7)


class Moment(NamedTuple):
    """A time as a row shows it: for machines, in full, the day, and how long ago."""

    iso: str
    full: str
    day: str
    ago: str


NEVER = Moment("", "", "", "")


class Clock:
    """Makes the moments of one page, in the time zone of whoever sees it.

    Not filters of the template: those of fifty rows took longer than all queries of the page together.
    """

    def __init__(self) -> None:
        self._zone = timezone.get_current_timezone()
        self._now = timezone.now().astimezone(self._zone)

    def moment(self, at: datetime | None) -> Moment:
        """NEVER for None."""
        if at is None:
            return NEVER
        local = at.astimezone(self._zone)
        full = f"{local:%-d %B %Y, %H:%M:%S} {local.tzname()}"
        return Moment(local.isoformat(), full, f"{local:%-d %b %Y}", self._ago(local))

    def _ago(self, local: datetime) -> str:
        if self._now - local < WEEK:
            return str(naturaltime(local))  # Else it may be a lazy one.
        return _weeks_ago(local.date(), self._now.date(), local.time() > self._now.time())


@lru_cache(10_000)
def _weeks_ago(day: date, today: date, is_later: bool) -> str:
    """As `naturaltime` says it of what is a week old or older: of the hours it counts only whether one `is_later`."""
    at, now = datetime.combine(day, time(12)), datetime.combine(today, time(11 if is_later else 13))
    delta = timesince(at, now, time_strings=NaturalTimeFormatter.past_substrings)
    return str(NaturalTimeFormatter.time_strings["past-day"] % {"delta": delta})
