"""Finding people by a part of their names, among a million of them."""

from __future__ import annotations

from django.db.models import Case, F, Func, Q, QuerySet, TextField, When

from access import search
from access.looks import by_index_alone, look_at
from accounts.models import Namespace, User

MOST_COMPARED = 200
"""Among how many the first few are chosen.  Of a crowd, any are shown: whoever looks for one person types more."""
LOOKED_AT = 3000
"""Among how many of all people the first few are looked for."""

_NAMES = Func(  # As the index `user_find` has them, of migration 3 of accounts.
    F("username"),
    F("fullname"),
    template="(' ' || %(expressions)s)",
    arg_joiner=" || ' ' || ",
    output_field=TextField(),
)


def named_like(text: str, number: int) -> list[User]:
    """The first few people whose user name or full name contains the text; nobody for no text.

    Who is called exactly so comes first, and names that begin with it come before those that have it within.  Within
    names, a text as short as `search.SHORT` calls it is not looked for.
    """
    text = " ".join(text.replace("\0", "").split())
    if not text:
        return []
    people = User.objects.filter(is_active=True).alias(names=_NAMES)
    found = set(Namespace.objects.named(text).values_list("user", flat=True))
    # By the index of user names, which is quicker than that of parts, and these come before all others.
    found |= set(people.filter(username__startswith=text).order_by().values_list("pk", flat=True)[:MOST_COMPARED])
    if len(found) < number:
        found |= _some(people, Q(names__icontains=f" {text}"), number)
    if len(found) < number and len(text) >= search.SHORT:
        found |= _some(people, Q(names__icontains=text), number)
    rank = Case(When(username__iexact=text, then=0), When(username__istartswith=text, then=1), default=2)
    return list(User.objects.filter(pk__in=found, is_active=True).order_by(rank, "username")[:number])


def _some(people: QuerySet[User], fits: Q, enough: int) -> set[int]:
    """Keys of some who fit; of all, where they are few.  In two ways, as `access.finding` explains."""
    found = look_at(people.order_by("pk"), fits, MOST_COMPARED, LOOKED_AT)
    if len(found) < enough:
        with by_index_alone():
            found = list(people.filter(fits).order_by().values_list("pk", flat=True)[:MOST_COMPARED])
    return set(found)
