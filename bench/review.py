"""The review of one repo with many requests: milliseconds of the server for each page, search and filter.

    .venv/bin/python -m bench.review --sizes 60000 600000 --rounds 7

At each size a database of its own, with as many requests of other repos beside, and people for the search among them
(5 for 3 requests).  Sizes take turns, round by round.  "wall" is the time within the WSGI application (`bench.clock`),
from the call to the whole page, or to the first byte of the report.  "busy" is how long its thread and the database
were on a processor meanwhile, which other programs on the machine disturb less.  The exponent says how that grows with
the number of requests: 0 is not at all, 1 is in step.
"""

from __future__ import annotations

import argparse
import contextlib
import json
import math
import re
import statistics
import time
from collections.abc import Callable
from functools import partial
from html import unescape
from typing import Any
from urllib.parse import urlencode

from bench.hub import LATE, RARE, Answer, Client, Hub, spread, write

SETTINGS = "/lab/large/settings"
BUDGET = 50
IDLE = 5_000_000
"""A database that was on a processor for no longer than that, in nanoseconds of 100 ms, does nothing but tidy up."""
MIDDLE, END = SHARES = (0.5, 0.9999)
PART = {"HX-Request": "true", "HX-Target": "requests"}
"""What htmx sends for a part of the page."""


FIND_PLACES = f"""
import json
from gatehub.web import review_lists
from access.models import AccessRequest
places = {{}}
for status, sorts in (("pending", ("oldest", "newest", "name")), ("accepted", ("decided", "name", "oldest"))):
    for sort in sorts:
        order = review_lists.ORDERS[sort][1]
        rows = AccessRequest.objects.filter(repo__name="large", status=status).order_by(*order.columns)
        for share in {SHARES}:
            places[f"{{status}} {{sort}} {{share}}"] = order.cursor(rows[int(rows.count() * share)])
print(json.dumps(places))
"""


def link(page: str, rel: str) -> str:
    """The query of the link to the next page, or to the one before; "" without."""
    found = re.search(rf'rel="{rel}"\s+href="([^"#]+)', page)
    return unescape(found[1]).partition("?")[2] if found else ""


class Addresses:
    """What is asked for, as name -> path.  Deep places are made from rows in the middle and at the end of an order."""

    def __init__(self, hub: Hub, client: Client) -> None:
        self.hub = hub
        self.client = client
        self.paths: dict[str, str] = {}
        self.parts: dict[str, str] = {}
        self._places = self._find_places()
        self._lists()
        self._searches()
        self._filters()

    def _add(self, name: str, **said: str | list[str]) -> None:
        self.paths[name] = f"{SETTINGS}?{urlencode(said, doseq=True)}"

    def _lists(self) -> None:
        self._add("whole page: pending", status="pending")
        self._add("whole page: accepted", status="accepted")
        self._add("whole page: rejected", status="rejected")
        for status, orders in (("pending", ("oldest", "newest", "name")), ("accepted", ("decided", "name", "oldest"))):
            for sort in orders:
                for where, share in (("middle", MIDDLE), ("end", END)):
                    for way in ("after", "before"):
                        place = self.place(status, sort, share)
                        self._part(f"{status}, {sort}: {where}, {way}", status=status, sort=sort, **{way: place})
                self._part(f"{status}, {sort}: first page", status=status, sort=sort)

    def _part(self, name: str, **said: str | list[str]) -> None:
        self.parts[name] = f"{SETTINGS}?{urlencode(said, doseq=True)}"

    def place(self, status: str, sort: str, share: float) -> str:
        """The cursor of the row at that share of the list."""
        return self._places[f"{status} {sort} {share}"]

    def _find_places(self) -> dict[str, str]:
        return json.loads(self.hub.server.manage("shell", "-v0", "-c", FIND_PLACES))  # type: ignore[no-any-return]

    def _searches(self) -> None:
        for what, q in {
            "a full name": "lovelace",
            "two words of a name": "maría garcía",
            "a user name": "person-123",
            "an address": "person123@",
            "a part of an answer": "ebingen",
            "everybody's word": "example",
            "half of all": "research",
            "half of all, two words": "research university",
            "everybody's two": "example person",
            "one in all": RARE,
            "nobody": "zanzibar",
            "nobody, of common parts": "exampleresearch",
            "two words, never together": "miskatonic paris",
            "one letter": "z",
            "one letter, everybody's": "p",
            "two letters": "mü",
            "one Han character": "李",
            "a Han name": "王芳",
            "Cyrillic": "ИВАНОВА",
            "Arabic": "محمد",
            "Devanagari": "शर्मा",
            "Unicode case": "STRASSE",
            "percent": "100%",
            "percent alone": "%",
            "underscore": "a_b",
            "backslash": "\\",
            "eight words": "a b c d e f g h",
        }.items():
            self._part(f"search, {what}: oldest", q=q)
            self._part(f"search, {what}: by name", q=q, sort="name")
            self._part(f"search, {what}: accepted, decided last", q=q, status="accepted")
        for what, q in {"half of all": "research", "a full name": "lovelace", "everybody's word": "example"}.items():
            for sort in ("oldest", "newest", "name"):
                self._part(f"search, {what}: {sort}, middle", q=q, sort=sort, after=self.place("pending", sort, MIDDLE))
                self._part(f"search, {what}: {sort}, end", q=q, sort=sort, after=self.place("pending", sort, END))
        self._part("crowd at the end: newest", q=LATE, sort="newest")
        self._part("crowd at the end: by name", q=LATE, sort="name")
        self._part("crowd at the end: OLDEST", q=LATE)

    def _filters(self) -> None:
        page = self.client.get(SETTINGS).text
        answers = dict(
            reversed(pair) for pair in re.findall(r'<option value="([0-9a-f]{10}:[^"]+)"[^>]*>([^<]+)</option>', page)
        )
        yes, academic, other = (answers[words] for words in ("Yes", "Academic research", "Something else"))
        for sort in ("oldest", "newest", "name"):
            for what, said in {
                "answer of everybody": {"answer": [yes]},
                "answer of half": {"answer": [academic]},
                "two answers": {"answer": [yes, other]},
                "common country": {"country": "US"},
                "rare country": {"country": "NO"},
                "country of one": {"country": "VA"},
                "country of none": {"country": "TV"},
                "the last day": {"age": "1d"},
                "the last week": {"age": "7d"},
                "more than 90 days": {"age": "over-90d"},
                "answer and country": {"answer": [other], "country": "FR"},
                "answer, country and the last month": {"answer": [academic], "country": "FR", "age": "30d"},
                "common word and the last day": {"q": "example", "age": "1d"},
                "common word, answer, country, over 30 days": {
                    "q": "research",
                    "answer": [academic],
                    "country": "GB",
                    "age": "over-30d",
                },
                "rare word and answer of everybody": {"q": RARE, "answer": [yes]},
            }.items():
                self._part(f"filter, {what}: {sort}", sort=sort, **said)  # type: ignore[arg-type]


PEOPLE = {
    "exactly": "person-77777",
    "a beginning": "person-7",
    "a full name": "lovelace",
    "within a name": "ovelac",
    "everybody": "person",
    "nobody": "zanzibar",
    "one letter": "z",
    "Han": "李",
    "two words": "ada lovelace",
}


class Side:
    """One size: its hub, and what is measured there."""

    def __init__(self, size: int) -> None:
        self.size = size
        self.hub = Hub(people=max(size * 5 // 3, 1000), requests_=size)
        self.hub.start()
        self.client = self.hub.sign_in("ada")
        self.addresses = Addresses(self.hub, self.client)
        self.wall: dict[str, list[float]] = {}
        self.busy: dict[str, list[float]] = {}

    def steps(self) -> dict[str, Callable[[], Answer]]:
        get = self.client.get
        steps: dict[str, Callable[[], Answer]] = {}
        for name, path in self.addresses.paths.items():
            steps[name] = partial(get, path)
        for name, path in self.addresses.parts.items():
            steps[name] = partial(get, path, PART)
        for what, text in PEOPLE.items():
            steps[f"people, {what}"] = partial(get, f"{SETTINGS}/people?{urlencode({'user': text})}", PART)
        for kind in ("csv", "json", "jsonl"):
            steps[f"report, first byte: {kind}"] = partial(self.once, f"/lab/large/user-access-report?format={kind}")
        steps["walk of 20 pages, the slowest: by name"] = partial(self.walk, "status=pending&sort=name")
        steps["walk of 20 pages, the slowest: search"] = partial(self.walk, "q=research&sort=newest")
        return steps

    def once(self, path: str) -> Answer:
        """By a connection of its own: the rest of the stream is left.

        The server has begun to copy some of it.  It is waited for, or the next step would share the processors with it.
        """
        client = Client(self.hub)
        client.session.cookies.update(self.client.session.cookies)
        with client.session:
            answer = client.get(path, whole=False)
        before, now = 0, sum(self.hub.database_busy().values())
        while now - before > IDLE:
            time.sleep(0.1)
            before, now = now, sum(self.hub.database_busy().values())
        return answer

    def walk(self, query: str) -> Answer:
        """The slowest of 20 pages, each reached by the link of the one before."""
        slowest = Answer(0, 0, "")
        for number in range(20):
            answer = self.client.get(f"{SETTINGS}?{query}", PART)
            slowest = max(slowest, answer, key=lambda answer: answer.busy)
            query = link(answer.text, "next")
            if not query:
                raise RuntimeError(f"the walk ends at page {number + 1}")
        return slowest


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--sizes", type=int, nargs="+", default=[60_000, 600_000])
    parser.add_argument("--rounds", type=int, default=7)
    options = parser.parse_args()
    with contextlib.ExitStack() as stack:
        sides = []
        for size in options.sizes:
            side = Side(size)
            stack.callback(side.hub.close)
            sides.append(side)
        write("review", run(sides, options.rounds))


def run(sides: list[Side], rounds: int) -> dict[str, Any]:
    steps = {side.size: side.steps() for side in sides}
    names = list(steps[sides[0].size])
    for number in range(rounds + 1):
        for name in names:
            for side in sides:
                answer = steps[side.size][name]()
                if number:  # The first round warms up.
                    side.wall.setdefault(name, []).append(answer.wall)
                    side.busy.setdefault(name, []).append(answer.busy)
    return {
        "rounds": rounds,
        "budget, ms": BUDGET,
        **{f"{side.size} requests": summary(side) for side in sides},
        "steps": {
            name: {
                **{f"{side.size}, wall ms": spread(side.wall[name]) for side in sides},
                **{f"{side.size}, busy ms": spread(side.busy[name]) for side in sides},
                "exponent": exponent(sides, name),
            }
            for name in names
        },
    }


def summary(side: Side) -> dict[str, Any]:
    wall = {name: statistics.median(times) for name, times in side.wall.items()}
    busy = {name: statistics.median(times) for name, times in side.busy.items()}
    return {
        "steps": len(wall),
        "median over all steps, ms: wall, busy": [
            round(statistics.median(times.values()), 1) for times in (wall, busy)
        ],
        "wall median over the budget": {name: round(ms, 1) for name, ms in wall.items() if ms > BUDGET},
        "busy median over the budget": {name: round(ms, 1) for name, ms in busy.items() if ms > BUDGET},
        "peak memory of a web process, MiB": round(side.hub.peak_mib(), 1),
    }


def exponent(sides: list[Side], name: str) -> float:
    first, last = sides[0], sides[-1]
    if first is last:
        return 0.0
    ratio = statistics.median(last.busy[name]) / statistics.median(first.busy[name])
    return round(math.log(ratio) / math.log(last.size / first.size), 2)


if __name__ == "__main__":
    main()
