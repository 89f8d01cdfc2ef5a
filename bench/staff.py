"""Access requests of all repos in the admin: milliseconds of the server for each list, filter, search and page.

    .venv/bin/python -m bench.staff --size 1000000 --rounds 5

One database with so many requests of four answers to 2,001 repos (`bench.staff_crowd`), three fifths of them to one.
"wall" is the time within the WSGI application, from the call to the whole page; "busy"
is how long its thread and the database were on a processor meanwhile, which other programs disturb less.
"""

from __future__ import annotations

import argparse
import json
import re
import statistics
from collections.abc import Callable
from functools import partial
from typing import Any
from urllib.parse import urlencode

from bench.hub import LATE, RARE, Answer, Client, Hub, spread, write
from bench.review import link

LIST = "/admin/access/accessrequest/"
BUDGET = 200
ORDERS = ("newest", "oldest", "decided")

FIND_PLACES = """
import json
from access.admin.asking import ORDERS
from access.filters_all import StaffFilter
places = {}
for name, (_, order) in ORDERS.items():
    rows = StaffFilter(status="decided" if name == "decided" else "").requests().order_by(*order.columns)
    for share in (0.5, 0.9999):
        places[f"{name} {share}"] = order.cursor(rows[int(rows.count() * share)])
print(json.dumps(places))
"""
FORM = """
from repos.models import GateForm
print(GateForm.objects.filter(repo__name="large").order_by("pk")[2].commit_sha)
"""

FILTERS: dict[str, dict[str, str]] = {
    "nothing": {},
    "pending": {"status": "pending"},
    "accepted": {"status": "accepted"},
    "rejected": {"status": "rejected"},
    "the large repo": {"repo": "lab/large"},
    "the large repo, pending": {"repo": "lab/large", "status": "pending"},
    "a small repo": {"repo": "org-3/repo-3"},
    "the organization of the large repo": {"namespace": "lab"},
    "an organization of 100 repos": {"namespace": "org-3"},
    "a common country": {"country": "US"},
    "a rare country": {"country": "NO"},
    "a country of some repos": {"country": "VA"},
    "a country of none": {"country": "TV"},
    "the last day": {"age": "1d"},
    "the last week": {"age": "7d"},
    "more than 90 days": {"age": "over-90d"},
    "granted unasked": {"granted": "yes"},
    "not granted unasked": {"granted": "no"},
    "a busy reviewer": {"reviewer": "ada"},
    "a reviewer": {"reviewer": "reviewer-3"},
    "a reviewer of nothing": {"reviewer": "rita"},
    "a person": {"user": "person-77"},
}
SEARCHES = {
    "a full name": "lovelace",
    "two words of a name": "maría garcía",
    "a user name": "person-12345",
    "an address": "person12345@",
    "a part of an answer": "ebingen",
    "everybody's word": "example",
    "half of all": "research",
    "one in each repo": RARE,
    "nobody": "zanzibar",
    "nobody, of common parts": "exampleresearch",
    "two words, never together": "miskatonic paris",
    "one letter": "z",
    "two letters": "mü",
    "one Han character": "李",
    "a Han name": "王芳",
    "Cyrillic": "ИВАНОВА",
    "Unicode case": "STRASSE",
    "percent": "100%",
    "eight words": "a b c d e f g h",
}
TOGETHER: dict[str, dict[str, str]] = {
    "rare word, the large repo": {"q": RARE, "repo": "lab/large"},
    "half of all, a small repo": {"q": "research", "repo": "org-3/repo-3"},
    "name, the large repo, pending": {"q": "lovelace", "repo": "lab/large", "status": "pending"},
    "half of all, country, over 30 days, pending": {
        "q": "research", "country": "GB", "age": "over-30d", "status": "pending",
    },
    "name, country": {"q": "lovelace", "country": "US"},
    "name, rejected": {"q": "lovelace", "status": "rejected"},
    "everybody's word, the last day": {"q": "example", "age": "1d"},
    "name, an organization": {"q": "lovelace", "namespace": "org-3"},
    "reviewer, country, rejected": {"reviewer": "reviewer-2", "country": "NO", "status": "rejected"},
    "granted, country, name": {"granted": "yes", "country": "US", "q": "lovelace"},
    "country, pending": {"country": "VA", "status": "pending"},
    "common country, pending": {"country": "US", "status": "pending"},
    "crowd at the far end": {"q": LATE},
    "crowd at the far end, an organization": {"q": LATE, "namespace": "lab"},
}  # fmt: skip


def steps_of(hub: Hub, client: Client) -> dict[str, Callable[[], Answer]]:
    places = json.loads(hub.server.manage("shell", "-v0", "-c", FIND_PLACES))
    form = hub.server.manage("shell", "-v0", "-c", FORM).strip()
    steps: dict[str, Callable[[], Answer]] = {}

    def add(name: str, **said: str) -> None:
        steps[name] = partial(client.get, f"{LIST}?{urlencode(said)}")

    filters = {**FILTERS, "a form version": {"form": form}, "two days": {"from": "2025-06-01", "to": "2025-06-02"}}
    searches = {name: {"q": text} for name, text in SEARCHES.items()}
    for kind, wanted in (("filter", filters), ("search", searches), ("both", TOGETHER)):
        for what, said in wanted.items():
            for sort in ORDERS:
                if sort != "decided" or said.get("status") != "pending":
                    add(f"{kind}, {what}: {sort}", sort=sort, **said)
    for place, cursor in places.items():
        sort, share = place.split()
        for way in ("after", "before"):
            add(f"deep: {sort}, {share}, {way}", sort=sort, **{way: cursor})
    _add_pages(steps, hub, client)
    return steps


def _add_pages(steps: dict[str, Callable[[], Answer]], hub: Hub, client: Client) -> None:
    found = re.findall(rf'href="({LIST}\d+/change/)"', client.get(f"{LIST}?repo=lab/large").text)
    small = re.findall(rf'href="({LIST}\d+/change/)"', client.get(f"{LIST}?repo=org-3/repo-3").text)
    steps["a request to the large repo"] = partial(client.get, found[0])
    steps["a request to a small repo"] = partial(client.get, small[0])
    steps["walk of 20 pages, the slowest: newest"] = partial(walk, client, "sort=newest")
    steps["walk of 20 pages, the slowest: a full name"] = partial(walk, client, "q=lovelace")


def walk(client: Client, query: str) -> Answer:
    """The slowest of 20 pages, each reached by the link of the one before."""
    slowest = Answer(0, 0, "")
    for number in range(20):
        answer = client.get(f"{LIST}?{query}")
        slowest = max(slowest, answer, key=lambda answer: answer.busy)
        query = link(answer.text.replace('rel="next" href="?', 'rel="next" href="/?'), "next")
        if not query:
            raise RuntimeError(f"the walk ends at page {number + 1}")
    return slowest


def first_byte(hub: Hub, client: Client, kind: str, query: str) -> float:
    """Milliseconds from the press of an export button to the first byte, at the client; the rest is left."""
    token = client.session.cookies["gatehub_csrf"]
    form = {"action": f"export_{kind}", "select_across": "1", "csrfmiddlewaretoken": token}
    with client.session.post(
        f"{hub.url}{LIST}?{query}", data=form, headers={"Referer": hub.url}, stream=True, timeout=600
    ) as answer:
        answer.raise_for_status()
        if "attachment" not in answer.headers.get("Content-Disposition", ""):
            raise RuntimeError(f"no export: {answer.text[:500]}")
        next(answer.iter_content(1))
        return answer.elapsed.total_seconds() * 1000


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--size", type=int, default=1_000_000)
    parser.add_argument("--rounds", type=int, default=5)
    options = parser.parse_args()
    size = str(options.size)
    hub = Hub(fill=["-m", "bench.staff_crowd", "--people", size, "--requests", size])
    try:
        hub.web.env["GATEHUB_ADMIN_SECOND_FACTOR"] = "optional"
        hub.start()
        write("staff", run(hub, options.rounds))
    finally:
        hub.close()


def run(hub: Hub, rounds: int) -> dict[str, Any]:
    client = hub.sign_in("stef")
    steps = steps_of(hub, client)
    wall: dict[str, list[float]] = {name: [] for name in steps}
    busy: dict[str, list[float]] = {name: [] for name in steps}
    for number in range(rounds + 1):
        for name, step in steps.items():
            answer = step()
            if number:  # The first round warms up.
                wall[name].append(answer.wall)
                busy[name].append(answer.busy)
    medians = {name: (statistics.median(wall[name]), statistics.median(busy[name])) for name in steps}
    return {
        "rounds": rounds,
        "budget, ms": BUDGET,
        "steps": len(steps),
        "median over all steps, ms: wall, busy": [
            round(statistics.median(values), 1) for values in zip(*medians.values(), strict=True)
        ],
        "wall over the budget": {name: round(ms, 1) for name, (ms, _) in medians.items() if ms > BUDGET},
        "busy over the budget": {name: round(ms, 1) for name, (_, ms) in medians.items() if ms > BUDGET},
        "export, first byte, ms": {
            f"{kind}, {query or 'all'}": round(first_byte(hub, client, kind, query), 1)
            for kind in ("csv", "json", "jsonl")
            for query in ("", "status=pending", "q=lovelace")
        },
        "peak memory of a web process, MiB": round(hub.peak_mib(), 1),
        "each": {name: {"wall": spread(wall[name]), "busy": spread(busy[name])} for name in steps},
    }


if __name__ == "__main__":
    main()
