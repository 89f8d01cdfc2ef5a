"""Fills a database with people and access requests: a large repo, and as many requests of other repos beside.

    python -m bench.crowd --requests 600000 --people 1000000

Runs in the product's environment (`bench.hub` sets it).  Repos, forms and reviewers are made by the product's services;
the many rows by COPY, with the search text that the product would have written, and with the GIN indexes off meanwhile.
Names are in many scripts; each request has four answers to one of five versions of the form.
"""

from __future__ import annotations

import argparse
import itertools
import json
import os
import random
from collections.abc import Iterable, Iterator, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

import django

if __name__ == "__main__":
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "gatehub.settings")
    django.setup()

from django.db import connection, transaction

from access import answers, search
from access.models import AccessRequest
from accounts import services as accounts
from accounts.actor import SYSTEM, Actor
from accounts.models import Namespace, User
from bench.hub import LATE, PASSWORD, RARE
from repos import cards, content
from repos import services as repo_services
from repos.git import AddBlob
from repos.models import GateForm, Repo

OTHERS = 10
NOW = datetime.now(UTC)
BEGAN = NOW - timedelta(days=1000)
BATCH = 50_000

CARD = """---
license: mit
extra_gated_prompt: You agree to use the model for research only ({version}).
extra_gated_fields:
  Affiliation: text
  Country: country
  Purpose:
    type: select
    options:
      - {{label: Academic research, value: academic}}
      - {{label: Education, value: education}}
      - {{label: Commercial use, value: commercial}}
      - {{label: Something else, value: other}}
  I agree to the terms: checkbox
---
# Large model, version {version}

{text}
"""

FIRST = """Ada Alan Alice Ahmed Amara Anna Anton Aisha Benoît Björn Carlos Chiara Chloé Daniel David Elena Elif Emma
Emeka Eva Fatima Felix François Gabriel Giulia Grace Hans Hana Hugo Ingrid Ivan Jakub Jana João José Julia
Jürgen Karl Katarzyna Kwame Lars Laura Leïla Linh Lucas Łukasz Maria Marie Martin Mateo Maxim Mehmet Miguel
Mina Mohammed Nadia Niamh Nikola Noor Olga Omar Paul Pedro Petra Pierre Priya Rafael Ravi Rosa Samuel Sara
Sean Sofia Søren Stefan Siobhán Tariq Thomas Tomáš Ursula Valentina Victor Wei Wiktoria Xavier Yara Yusuf
Zainab Zoë Zoltán""".split()
LAST = """Abbott Adeyemi Ahmadi Almeida Andersson Bauer Becker Bianchi Bianco Björk Boateng Brown Castillo Chang Chen
Clarke Costa Cruz Dąbrowski Delgado Diallo Dubois Durand Eriksson Evans Farah Fernández Ferrari Fischer
Fontaine Fournier García Gómez Gonçalves Grant Green Gruber Gupta Haddad Hansen Hassan Hernández Hoffmann
Horvat Hughes Ibrahim Ivanov Jackson Jansen Jensen Johansson Jones Kaya Keller Khan Kim King Kovács Kowalski
Kowalczyk Kumar Larsen Lefèvre Lehmann Lewis Li Lindqvist López Lovelace Martin Martínez Mbeki Mendes Meyer
Mirzakhani Moreau Morris Müller Mwangi Nakamura Ndiaye Nguyễn Nielsen Novák Nowak O’Brien Okafor Okonkwo
Olsen Osei Öztürk Patel Pereira Petrov Popescu Quinn Ramírez Rao Reyes Ricci Richter Rinaldi Rossi Roux
Sánchez Santos Sato Schmidt Schneider Schulz Silva Singh Škoda Smith Straße Suzuki Tanaka Taylor Thompson
Torres Turner Ünal Vargas Vasquez Vogel Wagner Walker Wang Weber White Wilson Wong Wright Yamamoto Yilmaz
Young Zhang Zhou Zimmermann""".split()
OTHER_SCRIPTS = [
    (list("李王张刘陈杨赵黄周吴"), "伟 芳 娜 秀英 敏 静 丽 强 磊 军 洋 勇 艳 杰 涛 明".split(), ""),
    ("김 이 박 최 정 강 조 윤".split(), "민준 서연 도윤 지우 하은 시우 수아 지호".split(), " "),
    ("佐藤 鈴木 高橋 田中 渡辺 伊藤".split(), "翔太 さくら 大輔 美咲 健 陽子".split(), " "),
    (
        "Анна Иван Дмитрий Ольга Сергей Елена Наталья".split(),
        "Иванова Петров Сидоров Кузнецова Попов Волков".split(),
        " ",
    ),
    ("محمد أحمد فاطمة علي مريم يوسف نور".split(), "الحسن حداد خليل منصور العلي سليمان".split(), " "),
    ("अदिति अर्जुन प्रिया राज सुनीता विक्रम".split(), "शर्मा वर्मा गुप्ता सिंह पटेल".split(), " "),
    ("Ελένη Γιώργος Μαρία Νίκος Κώστας".split(), "Παπαδόπουλος Νικολάου Γεωργίου Δημητρίου".split(), " "),
]
PLACES = """Aarhus Accra Ankara Athens Bangalore Beijing Berlin Bogotá Bologna Boston Brno Cairo Cambridge Coimbra Dakar
Delhi Dublin Edinburgh Geneva Ghent Graz Hanoi Helsinki Istanbul Jakarta Kraków Kyiv Lagos Leiden Lima Lyon Málaga
Melbourne Mumbai Nairobi Oslo Oxford Paris Porto Prague Quito Rabat Reykjavík Riga Rome Santiago Seoul Seville Sofia
Tartu Tehran Tokyo Toronto Trieste Tübingen Uppsala Vienna Vilnius Warsaw Zagreb Zürich""".split()
COUNTRIES = "US CN IN DE GB FR JP KR CA BR IT ES NL CH SE PL TR NG KE EG IR RU UA AU ID VN GR CZ PT AT DK FI NO".split()
SEEDED = random.Random(7)  # noqa: S311 - the same rows in each run


def fullname(number: int) -> str:
    if number % 5 == 0:
        one, two, between = OTHER_SCRIPTS[number // 5 % len(OTHER_SCRIPTS)]
        return f"{SEEDED.choice(one)}{between}{SEEDED.choice(two)}"
    return f"{SEEDED.choice(FIRST)} {SEEDED.choice(LAST)}"


def copy(table: str, columns: str, rows: Iterable[tuple[Any, ...]]) -> None:
    """In batches, each its own transaction, so that the triggers see batches as well."""
    waiting = iter(rows)
    while batch := list(itertools.islice(waiting, BATCH)):
        with (
            transaction.atomic(),
            connection.cursor() as cursor,
            cursor.cursor.copy(f"COPY {table} ({columns}) FROM STDIN") as into,
        ):
            for row in batch:
                into.write_row(row)


def make_people(number: int) -> None:
    rows = (
        (f"person-{n}", fullname(n), f"person{n}@mail{n % 97}.example.org", "!", False, False, True, NOW)
        for n in range(number)
    )
    columns = "username, fullname, email, password, is_superuser, is_staff, is_active, date_joined"
    copy("accounts_user", columns, rows)
    with connection.cursor() as cursor:
        cursor.execute(
            "INSERT INTO accounts_namespace (name, user_id) "
            "SELECT username, id FROM accounts_user WHERE username LIKE 'person-%'"
        )


def make_repo(name: str, versions: int, ada: User) -> Repo:
    actor = Actor(user=ada)
    repo = repo_services.create_repo(
        type_="model", namespace=Namespace.objects.get(name="lab"), name=name, private=False, by=actor
    )
    for version in range(versions):
        text = CARD.format(version=version + 1, text="Words about the model, its data and its limits.\n\n" * 40)
        git = content.open_git(repo)
        operations: list[content.Operation] = [AddBlob("README.md", git.stage_blob(text.encode()))]
        content.commit(repo, "main", content.NewCommit("Write the card", "", operations), by=actor)
    repo_services.change_settings(repo, {"gated": "manual"}, by=actor)
    repo.refresh_from_db()
    return repo


def requests_of(
    repo: Repo, users: list[tuple[int, str, str, str]], reviewers: Sequence[User], grants: bool
) -> Iterator[tuple[Any, ...]]:
    """Pending, accepted and rejected are a half, a third and a sixth, in no order; sent evenly over a thousand days.

    With `grants`, one accepted request in 250 is one that nobody sent.
    """
    forms = list(GateForm.objects.filter(repo=repo).exclude(spec__fields=[]).order_by("pk"))
    specs = [cards.FormSpec.from_json(form.spec) for form in forms]
    total = len(users)
    span = (NOW - BEGAN - timedelta(hours=1)).total_seconds()
    for place, (key, username, name, email) in enumerate(users):
        version = min(place * len(forms) // total, len(forms) - 1)
        town = SEEDED.choice(PLACES)
        affiliation = f"{SEEDED.choice(('University', 'Institute', 'School', 'Labs'))} of {town}"
        if place % 2:
            affiliation += ", research group for language"
        if place >= total * 4 // 5:
            affiliation += f" ({LATE})"
        if place == total // 3:
            affiliation = f"{RARE} University, Arkham"
        said = {
            "Affiliation": affiliation,
            "Country": SEEDED.choice(COUNTRIES[: 4 + place % 30]),
            "Purpose": ("academic", "education", "commercial", "academic", "other", "academic")[place % 6],
            "I agree to the terms": "true",
        }
        if place == total // 3:
            said["Country"] = "VA"
        asked = BEGAN + timedelta(seconds=span * place / total)
        status = ("pending", "accepted", "pending", "rejected", "pending", "accepted")[SEEDED.randrange(6)]
        decided = None if status == "pending" else min(asked + timedelta(hours=SEEDED.randrange(1, 600)), NOW)
        words = [answer for _, answer in answers.in_words(specs[version], list(said.items()))]
        yield (
            f"{repo.pk:06x}{key:018x}", repo.pk, key, status, forms[version].pk, json.dumps(said), email, name, asked,
            grants and status == "accepted" and place % 250 == 0,
            decided, None if decided is None else reviewers[place % len(reviewers)].pk,
            "Not now" if status == "rejected" else "",
            search.searchable([username, name, email, *words]), said["Country"],
        )  # fmt: skip


REQUEST_COLUMNS = (
    "request_id, repo_id, user_id, status, form_id, answers, email, fullname, requested_at, granted, reviewed_at, "
    "reviewed_by_id, rejection_reason, search_text, country"
)


def make_requests(repos: Iterable[tuple[Repo, int]], reviewers: Sequence[User], *, grants: bool = False) -> None:
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT indexname, indexdef FROM pg_indexes "
            "WHERE tablename = 'access_accessrequest' AND indexdef LIKE '%USING gin%'"
        )
        slow = cursor.fetchall()
        for name, _ in slow:
            cursor.execute(f"DROP INDEX {name}")
    people = list(
        User.objects.filter(username__startswith="person-")
        .order_by("pk")
        .values_list("pk", "username", "fullname", "email")
    )
    for repo, number in repos:
        chosen = people[:number] if number > len(people) // 100 else SEEDED.sample(people, number)
        SEEDED.shuffle(chosen)
        copy("access_accessrequest", REQUEST_COLUMNS, requests_of(repo, chosen, reviewers, grants))
    with connection.cursor() as cursor:
        cursor.execute("SET maintenance_work_mem = '1GB'")
        for _, definition in slow:
            cursor.execute(definition)
        cursor.execute("VACUUM (ANALYZE)")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--requests", type=int, required=True)
    parser.add_argument("--people", type=int, required=True)
    options = parser.parse_args()
    ada = accounts.create_user(
        username="ada", email="ada@example.org", password=PASSWORD, fullname="Ada Lovelace", by=SYSTEM
    )
    for name, full in (("sam", "Sam Asks"), ("noor", "Noor Haddad")):
        accounts.create_user(username=name, email=f"{name}@example.org", password=PASSWORD, fullname=full, by=SYSTEM)
    accounts.create_organization(name="lab", admin=ada, fullname="The Lab", by=SYSTEM)
    make_people(options.people)
    large = make_repo("large", 5, ada)
    others = [make_repo(f"other-{number}", 2, ada) for number in range(OTHERS)]
    make_requests([(large, options.requests), *((repo, options.requests // OTHERS) for repo in others)], [ada])
    print(AccessRequest.objects.count(), "requests of", User.objects.count(), "people")


if __name__ == "__main__":
    main()
