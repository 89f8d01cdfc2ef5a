"""The first few of the requests that a filter matches, in an order, and how many there are: quickly at any size.

PostgreSQL would have to guess.  For a word that half of the people wrote, walking the index of the order finds a page
at once, and collecting all matches takes most of a second; for a word that one of them wrote, it is the other way
round; and what its statistics say of a word in this repo, beside that answer, is easily wrong by a thousand times.  So
nothing is left to the guess, and each way is bounded:

1. The next rows of the order are looked at, a fifteenth of `LOOKED_AT` and, if a page of them can be expected to match
   among so many, up to `LOOKED_AT`.  If a page of them match, that is the page.  A first page of words that some texts
   tell to be rare is not looked for so.
2. Else few match, as a rule, and the index `access_request_find` finds them all: it holds list and time (see
   `access.spans`), the groups of three characters of the search text, and the answers, also as numbers of their list
   (`access.answer_keys`), and intersects them before a row is fetched.  Of a stretch of time it is asked for that
   stretch alone, and of words for the parts that tell something in this list (`access.search.telling`): it would go
   through everybody for what everybody has.
3. Where many match after all, such as the answers to a new question with the oldest first, a list in the order of time
   is walked from one stretch of time to the next, each halved as long as too many match in it.  A sample of some days
   tells beforehand, and how far there is nothing; of words, some texts may tell that few have them.  They may be wrong:
   that costs time, never an answer.

What is left are crowds of matches behind a long stretch of a list by name, or by decision, without any: then the crowd
is sorted.  `bench/README.md` says how long that takes.  Which stretches have requests is known from `RequestTally`.
"""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property, lru_cache
from time import monotonic
from typing import Any

from django.db import connection
from django.db.models import Q, QuerySet
from django.db.models.functions import Substr

from access import answer_keys, search, spans, tallies
from access.filters import RequestFilter
from access.looks import EACH_ROW, Condition, Found, Look, all_of, as_value, condition, first_moment, look_at_and_sort
from access.models import AccessRequest
from access.spans import Span
from accounts import compiled
from repos.models import Repo

LOOKED_AT = 3000
FIRST_LOOK = 15
"""This part of them is looked at first: it tells whether to go on."""
MOST_TIMES = 4
"""So many times as many, in the order of time, where those looked at have nearly enough:"""
SURELY_TIMES = 1.5
"""so many times what they have."""
LIKELY = 1.6
"""A few may be there by chance: so many times what is asked for should be expected among `LOOKED_AT`."""
ENOUGH = 50
"""So many matches among those looked at are a crowd, which is not counted to its end."""
MOST_SORTED = 2000
"""So many matches in all the time that is asked for are sorted at once, if the sample lets expect no more;"""
MOST_SORTED_AFTER_ALL = 1.5
"""up to so many times as many, where there are more after all: they are at hand by then."""
SOME = 300
"""So many are sorted of a stretch of time.  Where there are more, shorter stretches are asked for."""
SAMPLED_FROM = 30_000
"""A list with no more requests needs no sample."""
SAMPLED = 36
"""So many days are the sample, at most."""
CROWD = 8000
"""So many matches, as the sample has it, are not counted."""
RARE = 3
"""Words that no more than so many of some texts have are taken for rare."""
TEXTS = 300
"""So many texts of the list, half of them the oldest and half the newest, tell which words are common,"""
TEXT_LENGTH = 2000
"""so many signs of each."""
TEXTS_KEPT = 120
"""So many seconds at most, in each process."""


@dataclass(frozen=True, slots=True)
class Number:
    """How many there are; more than so many if `more`."""

    value: int
    more: bool = False


@dataclass(frozen=True, slots=True)
class Sample:
    """How many match on some days, up to one more than `SOME` of them; days as in `spans.Span`, in order.

    `times` as many requests are in all that is sampled, of which one block in `step` has such a day.
    """

    days: Sequence[tuple[int, int]] = ()
    times: float = 1.0
    step: int = 1

    @property
    def number(self) -> int:
        return sum(number for _, number in self.days)

    @property
    def expected(self) -> float:
        """How many may match at all."""
        return self.number * self.times

    def quiet(self, waiting: Sequence[Span]) -> int:
        """How many requests the first stretches have, as far as the sample knows them to have no match."""
        if not self.days:
            return 0
        (first, _), (last, _) = self.days[0], self.days[-1]
        before = list(itertools.takewhile(lambda span: span.last < first or span.first > last, waiting))
        return spans.total(before[: -self.step])

    def promises(self, number: int, span: Span) -> bool:
        """Whether so many are likely to match among the first `LOOKED_AT` of a span."""
        on_its_day = sum(number for day, number in self.days if span.first <= day <= span.last)
        return on_its_day * min(span.number, LOOKED_AT) >= number * span.most


class Finder:
    """Finds the requests of one repo that one filter matches, and counts them up to `most`.

    `tallied` are the days of the repo, for who has them already.
    """

    def __init__(
        self, repo: Repo, chosen: RequestFilter, most: int, tallied: Sequence[tallies.Day] | None = None
    ) -> None:
        self.repo = repo
        self.chosen = chosen
        self.most = most
        self._tallied_before = tallied
        self._few = False  # Whether a stretch of the list was looked at, and too few matched.
        self._found = 0  # How many there are at least.
        self._among_first: int | None = None  # How many among `LOOKED_AT` rows at an end of the order of time.
        self._sample: Sample | None = None
        self._crowd = 0  # More than so many there are, if the sample shows a crowd.
        self._seen: int | None = None  # How many there are, up to one more than `most`.
        self._place: tuple[Condition, Sequence[str]] = (EACH_ROW, ("requested_at", "pk"))
        self._found_by_index: Found | None = None

    def first(self, beyond: Q, columns: Sequence[str], number: int) -> list[int]:
        """Keys of the first few that are `beyond` a place, in the order of the columns."""
        by_time = columns[0].lstrip("-") == "requested_at"
        if not self._is_hard or (by_time and self._contents == EACH_ROW):
            return _keys(self.chosen.requests(self.repo).filter(beyond), columns, number)
        further = condition(beyond)
        self._place, self._found_by_index = (further, columns), None
        rows, fits = all_of(self._listed, further), all_of(self._contents, self._times)
        if by_time:  # Its index skips what is too old or too new.
            rows, fits = all_of(rows, self._times), self._contents
        if by_time or self._share_in_time * LOOKED_AT >= number:
            found = None if beyond else self._rare_sorted(number)  # What follows a place may be few.
            if found is None:
                look, from_the_first = Look(rows, columns, fits), by_time and not beyond
                found = self._looked(look, number, by_time=by_time, from_the_first=from_the_first)
            if found is None and beyond and by_time:
                found = self._rare_sorted(number)
            if found is not None:
                return found
        self._few = True
        return self._by_time(rows, number) if by_time else self._all_sorted(number)

    def _rare_sorted(self, number: int) -> list[int] | None:
        """Keys of the first few of all that match, if words seem to be rare and are; else None."""
        return self._few_sorted(number) if self._seems_rare else None

    def _few_sorted(self, number: int) -> list[int] | None:
        """Keys of the first few of all that match; None where these are more than are sorted at once."""
        most = int(MOST_SORTED * MOST_SORTED_AFTER_ALL)
        found, number_of_all = self._by_index.sorted(self._keys_of(self._blocks), number, most + 1)
        if number_of_all > most:
            self._found = number_of_all
            return None
        self._few, self._seen = True, number_of_all
        return found

    def _looked(self, look: Look, number: int, *, by_time: bool, from_the_first: bool) -> list[int] | None:
        """Keys of the first few, or of all, as far as a look can tell; None where it takes more than that.

        In the order of time rows lie side by side, and a look at many costs little.
        """
        most = max(LOOKED_AT // FIRST_LOOK, 1)
        seen = look.at(number, most)
        if len(seen.keys) < number <= self._expected(len(seen.keys), most) / LIKELY and seen.rows == most:
            most = LOOKED_AT
            seen = look.at(max(number, self.most + 1) if from_the_first else number, most)  # Also for `count`.
            if from_the_first:
                self._among_first = len(seen.keys)
            if by_time and len(seen.keys) < number <= len(seen.keys) * SURELY_TIMES:
                most *= MOST_TIMES
                seen = look.at(number, most)
        if len(seen.keys) < number and seen.rows == most:  # Neither enough nor all.
            return None
        self._found = max(self._found, len(seen.keys))
        return seen.keys[:number]

    def _expected(self, found: int, looked_at: int) -> float:
        """How many of `LOOKED_AT` rows are likely to match, where so many of the first did.

        Where texts of the list tell that words are rare, some that stand together do not say much else.
        """
        if self._seems_rare:
            found, looked_at = found + self._having, looked_at + len(self._texts)
        return found / looked_at * LOOKED_AT

    def count(self) -> Number:
        """How many there are.  Counted up to `most`; of a crowd, it is enough to know that it is one."""
        if self._found > self.most:
            return Number(self.most, more=True)
        if self._is_hard and not self._few:
            if self._among_first is None:
                look = Look(self._in_time, ("requested_at", "pk"), self._contents)
                self._among_first = len(look.at(self.most + 1, LOOKED_AT).keys)
            seen = max(self._among_first, self._found)
            if seen > ENOUGH:
                return Number(_rounded(seen - 1), more=True)
        if self._seen is None and not self._crowd:
            self._seen = self._counted()
        if self._seen is None:
            return Number(_rounded(min(self._crowd, self.most)), more=True)
        return Number(min(self._seen, self.most), more=self._seen > self.most)

    def _counted(self) -> int | None:
        """How many there are, up to one more than `most`; None for a crowd."""
        if not self._is_hard:
            return self.chosen.requests(self.repo)[: self.most + 1].count()
        expected = self._sample_of_all().expected
        if self._crowd:
            return None
        if expected > 2 * self.most:  # A part of the time is likely to have enough.
            part = spans.leading(self._blocks, int(spans.total(self._blocks) * 1.3 * self.most / expected))
            seen = self._by_index.count(self._keys_of(part), self.most + 1)
            if seen > self.most:
                return seen
        return self._by_index.count(self._keys_of(self._blocks), self.most + 1)

    def _by_time(self, rows: Condition, number: int) -> list[int]:
        """By stretches of time, in the order of the rows: as long as possible where few match, else short ones."""
        beyond, columns = self._place
        backwards = columns[0].startswith("-")
        if self._found <= MOST_SORTED and self._sample_of_all().expected <= MOST_SORTED:
            few = self._few_sorted(number)
            if few is not None:
                return few
        if beyond != EACH_ROW:
            place = first_moment(rows, columns)
            waiting = [] if place is None else spans.beyond(self._blocks, place, backwards=backwards)
            sample = self._sampled(waiting)
        else:
            sample, waiting = self._sample_of_all(), self._blocks
        waiting = waiting[::-1] if backwards else list(waiting)
        longer = LOOKED_AT if max(sample.expected, self._found) > MOST_SORTED else spans.total(waiting)
        most, found = max(sample.quiet(waiting), longer), list[int]()
        while waiting and len(found) < number:
            stretch = spans.leading(waiting, most)
            is_crowd = sample.promises(number, stretch[0])
            some = [] if is_crowd else self._by_index.any_beyond(self._keys_of(stretch), SOME + 1)
            if is_crowd or (len(some) > SOME and len(stretch) == 1):
                near, days = self._of_crowd(stretch[0], rows, number - len(found))
                found += near
                waiting[:1] = days[::-1] if backwards else days
            elif len(some) > SOME:
                most = longer = spans.total(stretch) // 2
            else:
                found += some
                waiting = waiting[len(stretch) :]
                most, longer = longer, longer * 2
        return found[:number]

    def _of_crowd(self, span: Span, rows: Condition, number: int) -> tuple[list[int], list[Span]]:
        """The first few of many that match in a block or on a day; or nobody, and the days of the block."""
        of_span = all_of(rows, condition(Q(requested_at__range=(span.begins, span.ends))))
        near = Look(of_span, self._place[1], self._contents).at(number, LOOKED_AT).keys
        if len(near) == number:
            return near, []
        if not span.is_day:
            return [], spans.days(self.repo, self.chosen.status, self._tallied, span)
        return self._by_index.beyond([span.key], number), []  # They asked in its later hours.

    def _all_sorted(self, number: int) -> list[int]:
        """The first few of all that match: found first, and sorted then."""
        if self._times != EACH_ROW and spans.total(self._blocks) <= LOOKED_AT:
            found, self._seen = look_at_and_sort(self._in_time, self._contents, *self._place, number, LOOKED_AT)
            return found
        found, self._seen = self._by_index.sorted(self._keys_of(self._blocks), number)
        return found

    @cached_property
    def _contents(self) -> Condition:
        return condition(self.chosen.contents())

    @cached_property
    def _texts(self) -> Sequence[str]:
        """Some of the list; nothing where no words are looked for."""
        if not self._is_hard or not self.chosen.search:
            return ()
        return texts_of(self.repo.pk, str(self.chosen.status), int(monotonic() / TEXTS_KEPT))

    @cached_property
    def _asked(self) -> Condition:
        """The contents, in other words for the index: without the parts that tell nothing in this list."""
        telling = search.telling(self.chosen.search, self._texts) if self._texts else []
        return condition(self.chosen.contents(telling)) if telling else self._contents

    @property
    def _seems_rare(self) -> bool:
        """Whether the texts tell that few have the words, without a sample."""
        return len(self._texts) >= search.ENOUGH_TEXTS and self._having <= RARE

    @property
    def _seems_common(self) -> bool:
        """Whether the texts tell that the index would go through many for the words, and leave out few."""
        return len(self._texts) >= search.ENOUGH_TEXTS and self._having > len(self._texts) * search.COMMON

    @cached_property
    def _having(self) -> int:
        """How many of the texts have the words."""
        return search.having(self.chosen.search, self._texts)

    @cached_property
    def _times(self) -> Condition:
        return condition(self.chosen.times())

    @cached_property
    def _blocks(self) -> list[Span]:
        """Those with requests of the list in the time that is asked for, the oldest first."""
        chosen = self.chosen
        return spans.blocks(self.repo, chosen.status, self._tallied, chosen.asked_after, chosen.asked_before)

    @cached_property
    def _tallied(self) -> Sequence[tallies.Day]:
        return tallies.by_day(self.repo) if self._tallied_before is None else self._tallied_before

    @cached_property
    def _share_in_time(self) -> float:
        """How much of the list is in the time that is asked for."""
        if self._times == EACH_ROW:
            return 1.0
        return spans.total(self._blocks) / max(tallies.sums_of(self._tallied)[self.chosen.status], 1)

    def _sample_of_all(self) -> Sample:
        """Taken once, as `_sampled`."""
        if self._sample is None:
            self._sample = self._sampled(self._blocks)
            if self._sample.expected > CROWD and self._sample.number > ENOUGH:
                self._crowd = self._sample.number - 1
        return self._sample

    def _sampled(self, blocks: Sequence[Span]) -> Sample:
        """What matches on the busiest day of each block; of nothing where there is no need for a sample."""
        if self._contents == EACH_ROW or spans.total(blocks) <= SAMPLED_FROM:
            return Sample()
        step = -(-len(blocks) // SAMPLED)
        days = [block.sample for block in blocks[::step]]
        found = self._by_index.days([day.key for day in days], SOME + 1)
        return Sample(found, spans.total(blocks) / spans.total(days), step)

    @property
    def _is_hard(self) -> bool:
        """Whether it asks for what the indexes of the orders do not hold.  SQLite has no other way than to look."""
        return connection.vendor == "postgresql" and self.chosen.narrows

    @cached_property
    def _listed(self) -> Condition:
        """The list of the status, not narrowed."""
        return condition(Q(repo=self.repo, status=self.chosen.status))

    @property
    def _in_time(self) -> Condition:
        """The list in the time that is asked for."""
        return all_of(self._listed, self._times)

    @property
    def _by_index(self) -> Found:
        """Those that match; of contents, in the words by which `access_request_find` alone can find them."""
        if self._found_by_index is None:
            fits, whole = self._asked, Condition(spans.IS_IN_LIST, (self._list_key,))
            if self._contents == EACH_ROW:
                whole = self._listed
            elif self._by_numbers is not None:
                fits, whole = self._by_numbers, EACH_ROW
            self._found_by_index = Found(all_of(fits, self._times), whole, *self._place)
        return self._found_by_index

    @cached_property
    def _by_numbers(self) -> Condition | None:
        """The contents, if they have answers that the index has as numbers of this list, and perhaps common words."""
        by_numbers = answer_keys.condition(self.chosen, self._list_key)
        if by_numbers is None or (self.chosen.search and not self._seems_common):
            return None  # By words, PostgreSQL would make the numbers of each row that the index finds.
        compared = all_of(self._listed, self._contents)
        return all_of(by_numbers, Condition(as_value(compared), compared.params))

    @property
    def _list_key(self) -> int:
        return spans.key_of(self.repo, self.chosen.status)

    def _keys_of(self, stretch: Sequence[Span]) -> list[int] | None:
        """What the index has for a stretch of time; None for one too long for that, and for the whole list."""
        is_all = self._contents == EACH_ROW or (stretch is self._blocks and self._times == EACH_ROW)
        return None if is_all or len(stretch) > spans.MOST_AT_ONCE else [span.key for span in stretch]


@lru_cache(32)
def texts_of(repo: int, status: str, kept: int) -> Sequence[str]:
    """What is common in a list is so for a while, and who is wrong about it only takes longer."""
    texts = compiled.rows(_texts, repo=repo, status=status)
    return list(dict.fromkeys(texts))  # Both ends of a short list have the same.


def _texts(repo: int, status: str) -> QuerySet[AccessRequest, Any]:
    """Of both ends of the list: for what everybody has, any do, but not in the order of names, where namesakes stand
    together; and a crowd is likely to be at one end."""
    listed = AccessRequest.objects.filter(repo=repo, status=status).annotate(text=Substr("search_text", 1, TEXT_LENGTH))
    oldest, newest = listed.order_by("requested_at", "pk"), listed.order_by("-requested_at", "-pk")
    half = TEXTS // 2
    return oldest.values_list("text", flat=True)[:half].union(newest.values_list("text", flat=True)[:half], all=True)


def _keys(rows: QuerySet[AccessRequest], columns: Sequence[str], number: int) -> list[int]:
    return list(rows.order_by(*columns).values_list("pk", flat=True)[:number])


def _rounded(number: int) -> int:
    """Down to tens, or to hundreds: it says "more than" anyway."""
    return number // 100 * 100 if number >= 100 else number // 10 * 10
