"""The model page, warm, against an empty Django view under the same server: time to the first byte.

    .venv/bin/python -m bench.model_page --sizes 6000 60000 --rounds 20

A gated repo with a card of two pages, as a stranger sees it, as somebody who has not asked, whose request is pending,
and as its owner; at each size with so many requests, and as many of other repos beside.  A round asks for each page and
for the empty view ten times, in turns.  "wall" and "busy" are those of `bench.review`, within the application; "first
byte" is what a caller on the same machine waits for on a connection that is kept, the server's own work included.
"""

from __future__ import annotations

import argparse
import contextlib
import statistics
from typing import Any

from bench.hub import Client, EmptyView, Hub, Socket, spread, write
from bench.review import Side, exponent

PAGE = "/lab/large"
TIMES = 10
HTML = {"Accept": "text/html"}
ASK = """
from access import services
from accounts.actor import Actor
from accounts.models import User
from repos.models import Repo
answers = {"Affiliation": "Somewhere", "Country": "FR", "Purpose": "academic", "I agree to the terms": "true"}
services.ask(repo=Repo.objects.get(name="large"), answers=answers, by=Actor(user=User.objects.get(username="sam")))
"""


class Pages(Side):
    """One size: who sees the page, and what it costs."""

    def __init__(self, size: int) -> None:
        self.size = size
        self.hub = Hub(people=size, requests_=size)
        self.hub.server.manage("shell", "-v0", "-c", ASK)
        self.hub.start()
        self.who = {
            "stranger": Client(self.hub),
            "nothing asked": self.hub.sign_in("noor"),
            "pending": self.hub.sign_in("sam"),
            "owner": self.hub.sign_in("ada"),
        }
        self.sockets = {name: Socket(client, HTML) for name, client in self.who.items()}
        self.first: dict[str, list[float]] = {name: [] for name in self.who}
        self.wall = {name: [] for name in self.who}
        self.busy = {name: [] for name in self.who}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--sizes", type=int, nargs="+", default=[6_000, 60_000])
    parser.add_argument("--rounds", type=int, default=20)
    options = parser.parse_args()
    with contextlib.ExitStack() as stack:
        sides = []
        for size in options.sizes:
            side = Pages(size)
            stack.callback(side.hub.close)
            sides.append(side)
        empty = EmptyView()
        stack.callback(empty.close)
        write("model_page", run(sides, empty, options.rounds))


def run(sides: list[Pages], empty: EmptyView, rounds: int) -> dict[str, Any]:
    nothing = Client(empty)
    nothing_by_socket = Socket(nothing, HTML)
    first: list[float] = []
    wall: list[float] = []
    busy: list[float] = []
    for number in range(rounds + 1):
        for _ in range(TIMES):
            answer, first_byte = nothing.get("/"), nothing_by_socket.first_byte("/")
            if number:  # The first round warms up.
                first.append(first_byte)
                wall.append(answer.wall)
                busy.append(answer.busy)
            for side in sides:
                for name, client in side.who.items():
                    answer, first_byte = client.get(PAGE, HTML), side.sockets[name].first_byte(PAGE)
                    if number:
                        side.first[name].append(first_byte)
                        side.wall[name].append(answer.wall)
                        side.busy[name].append(answer.busy)
    report: dict[str, Any] = {"rounds": rounds, "budget": "12 times the empty view"}
    report["empty view, ms"] = {"first byte": spread(first, 3), "wall": spread(wall, 3), "busy": spread(busy, 3)}
    for name in sides[0].who:
        report[name] = {"exponent": exponent(sides, name)}
        for side in sides:
            report[name][f"{side.size} requests"] = {
                "first byte, ms": spread(side.first[name], 2),
                "first byte against the empty view": round(
                    statistics.median(side.first[name]) / statistics.median(first), 1
                ),
                "wall, ms": spread(side.wall[name], 2),
                "busy, ms": spread(side.busy[name], 2),
                "wall against the empty view": round(statistics.median(side.wall[name]) / statistics.median(wall), 1),
                "busy against the empty view": round(statistics.median(side.busy[name]) / statistics.median(busy), 1),
            }
    report["peak memory of a web process, MiB"] = round(max(side.hub.peak_mib() for side in sides), 1)
    return report


if __name__ == "__main__":
    main()
