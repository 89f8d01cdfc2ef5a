"""Requests over time, as bars: one a day, week, month or year, so that there are never more than a page holds."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from functools import lru_cache

from django.template.loader import render_to_string
from django.utils.safestring import SafeString, mark_safe

from access.tallies import Day

HEIGHT = 100
BAR = 10
GAP = 2
FEWEST_DAYS = timedelta(days=13)
"""So far back it always goes: a single bar would be as wide as the page."""
STATUSES = ("accepted", "rejected", "pending")
"""From the bottom of a bar to its top."""


@dataclass(frozen=True, slots=True)
class Part:
    """The requests of one period in one status, as a rectangle of the picture."""

    status: str
    y: float
    height: float


@dataclass(frozen=True, slots=True)
class Bar:
    """One period.  `start` is its label beside a heading that says which kind of period it is."""

    label: str
    start: str
    numbers: dict[str, int]
    x: int
    parts: list[Part]

    @property
    def total(self) -> int:
        return sum(self.numbers.values())


@dataclass(frozen=True, slots=True)
class Chart:
    """`most` is the number that a bar of full height stands for; `period` is day, week, month or year."""

    period: str
    bars: list[Bar]
    most: int

    @property
    def width(self) -> int:
        return len(self.bars) * (BAR + GAP) - GAP

    @property
    def total(self) -> int:
        return sum(bar.total for bar in self.bars)

    @property
    def height(self) -> int:
        return HEIGHT

    @property
    def picture(self) -> SafeString:
        """All parts of all bars, as SVG."""
        parts = (
            f'<rect class="{part.status}" x="{bar.x}" y="{part.y}" width="{BAR}" height="{part.height}"></rect>'
            for bar in self.bars
            for part in bar.parts
        )
        return mark_safe("\n".join(parts))  # noqa: S308 - numbers, and words of ours.


def _week(day: date) -> date:
    return day - timedelta(days=day.weekday())


def _month(day: date) -> date:
    return day.replace(day=1)


def _year(day: date) -> date:
    return day.replace(month=1, day=1)


def _next_month(day: date) -> date:
    return _month(day.replace(day=28) + timedelta(days=4))


_PERIODS: list[tuple[str, int, Callable[[date], date], Callable[[date], date], str]] = [
    # Name, for how many days it is the finest that fits, first day of the period, the next period, how that is written.
    ("day", 31, lambda day: day, lambda day: day + timedelta(days=1), "%-d %b %Y"),
    ("week", 40 * 7, _week, lambda day: day + timedelta(days=7), "%-d %b %Y"),
    ("month", 40 * 30, _month, _next_month, "%b %Y"),
    ("year", 10**6, _year, lambda day: day.replace(year=day.year + 1), "%Y"),
]


@lru_cache(64)
def chart_html(by_day: tuple[Day, ...], *, today: date, of_staff: bool = False) -> SafeString | str:
    """`repo/_chart.html`; "" where nobody has asked.

    Kept, as making it takes longer than most queries of a page, and it is the same until somebody asks or decides.
    """
    chart = chart_of(by_day, today=today)
    return render_to_string("repo/_chart.html", {"chart": chart, "of_staff": of_staff}) if chart else ""


def chart_of(by_day: Sequence[Day], *, today: date) -> Chart | None:
    """From the first request, or some days before it, to today; None where nobody has asked."""
    if not by_day:
        return None
    (first, *_), (last, *_) = by_day[0], by_day[-1]
    last = max(today, last)
    first = min(first, last - FEWEST_DAYS)
    name, _, first_day, following, form = next(period for period in _PERIODS if (last - first).days < period[1])
    sums: dict[date, dict[str, int]] = {}
    period = first_day(first)
    while period <= last:
        sums[period] = dict.fromkeys(STATUSES, 0)
        period = following(period)
    for day, pending, accepted, rejected in by_day:
        into = sums[first_day(day)]
        into["pending"] += pending
        into["accepted"] += accepted
        into["rejected"] += rejected
    most = max(sum(numbers.values()) for numbers in sums.values())
    bars = [
        Bar(_label(name, start), start, numbers, index * (BAR + GAP), _parts(numbers, most))
        for index, (start, numbers) in enumerate((period.strftime(form), numbers) for period, numbers in sums.items())
    ]
    return Chart(name, bars, most)


def _label(period: str, start: str) -> str:
    return f"week of {start}" if period == "week" else start


def _parts(numbers: dict[str, int], most: int) -> list[Part]:
    parts = []
    top = float(HEIGHT)
    for status in STATUSES:
        height = numbers[status] * HEIGHT / most if most else 0.0
        top -= height
        if height:
            parts.append(Part(status, round(top, 2), round(height, 2)))
    return parts
