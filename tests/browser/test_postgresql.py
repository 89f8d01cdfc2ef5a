"""Every page of people and of staff opens on PostgreSQL, too, which has kept queries and indexes of its own.

`test_pages` and `test_staff` look at them on SQLite.
"""

from __future__ import annotations

import pytest
import requests

from tests.browser.pages import PAGES
from tests.browser.staff_pages import STAFF_PAGES


@pytest.mark.postgresql
def test_every_page_opens(stage):
    wrong = []
    with requests.Session() as session:
        for row in [*PAGES, *STAFF_PAGES]:
            cookies = {"gatehub_session": stage.people[row.who].session} if row.who else {}
            answer = session.get(f"{stage.url}{row.path.format(**stage.addresses)}", cookies=cookies, timeout=60)
            session.cookies.clear()
            expected = 200 if row.act else row.status  # What is done on a page may be refused.
            if answer.status_code != expected:
                wrong.append(f"{row.name}: {answer.status_code} instead of {expected}")
    assert not wrong, "\n".join(wrong)
