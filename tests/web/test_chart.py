"""Requests over time: which periods, and how high the bars."""

from __future__ import annotations

from datetime import date, timedelta

import pytest

from gatehub.web.chart import HEIGHT, chart_html, chart_of

TODAY = date(2026, 11, 23)  # A Monday.


def day(days_ago, pending=0, accepted=0, rejected=0):
    return (TODAY - timedelta(days=days_ago), pending, accepted, rejected)


def test_nobody_asked():
    assert chart_of([], today=TODAY) is None


@pytest.mark.parametrize(("days_ago", "period", "bars", "first"), [
    (0, "day", 14, "10 Nov 2026"), (13, "day", 14, "10 Nov 2026"),
    (30, "day", 31, "24 Oct 2026"), (31, "week", 6, "week of 19 Oct 2026"),
    (279, "week", 41, "week of 16 Feb 2026"), (280, "month", 10, "Feb 2026"), (1199, "month", 40, "Aug 2023"),
    (1200, "year", 4, "2023"), (9000, "year", 25, "2002"),
])  # fmt: skip
def test_the_longer_the_time_the_longer_the_period(days_ago, period, bars, first):
    chart = chart_of([day(days_ago, 1)], today=TODAY)
    assert (chart.period, len(chart.bars), chart.bars[0].label) == (period, bars, first)
    assert chart.total == 1
    assert [bar.total for bar in chart.bars if bar.total] == [1]


def test_bars_are_as_high_as_their_numbers_and_stand_on_each_other():
    chart = chart_of([day(1, 1, 2, 1), day(0, accepted=8)], today=TODAY)
    assert (chart.most, chart.width) == (8, 166)
    small, large = chart.bars[-2:]
    assert [(part.status, part.y, part.height) for part in small.parts] == [
        ("accepted", 75.0, 25.0), ("rejected", 62.5, 12.5), ("pending", 50.0, 12.5)
    ]  # fmt: skip
    assert [(part.y, part.height) for part in large.parts] == [(0.0, HEIGHT)]


def test_every_day_is_in_one_bar_whatever_the_period():
    by_day = [day(n, n % 3, n % 5, n % 2) for n in range(700, -1, -7)]
    chart = chart_of(by_day, today=TODAY)
    assert chart.total == sum(sum(day[1:]) for day in by_day)
    assert sum(bar.numbers["accepted"] for bar in chart.bars) == sum(accepted for _, _, accepted, _ in by_day)


def test_a_day_ahead_of_this_server_has_its_bar():
    bars = chart_of([day(-1, 1)], today=TODAY).bars
    assert (bars[-1].label, bars[-1].total) == ("24 Nov 2026", 1)


def test_beside_the_heading_weeks_are_told_by_their_first_day_alone():
    html = chart_html((day(40, 1),), today=TODAY)
    assert "Requests a week from week of 12 Oct 2026 on" in html
    assert '<th scope="row">12 Oct 2026</th>' in html


def test_the_kept_picture_follows_the_numbers_and_the_day():
    one, more = (day(1, 1),), (day(1, 1), day(0, 2))
    assert "at most 1." in chart_html(one, today=TODAY)
    assert "at most 2." in chart_html(more, today=TODAY)
    assert "24 Nov 2026" in chart_html(one, today=TODAY + timedelta(days=1))
    assert "24 Nov 2026" not in chart_html(one, today=TODAY)
    assert "over-time" in chart_html(one, today=TODAY, of_staff=True)
    assert chart_html((), today=TODAY) == ""
