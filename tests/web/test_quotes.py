"""Messages of the API on pages: with the marks of pages, and what they quote whole."""

from __future__ import annotations

import pytest
from django.utils.safestring import mark_safe

from gatehub.templatetags.quotes import curly, quoted


@pytest.mark.parametrize(("message", "shown"), [
    ("The name 'lab' is taken.", "The name “lab” is taken."),
    ("It has '-', '_' and '.', but not '--'.", "It has “-”, “_” and “.”, but not “--”."),
    ('There is no branch "o\'clock".', "There is no branch “o'clock”."),
    ("You don't have the rights under 'lab'.", "You don't have the rights under “lab”."),
    ("All members' rights, and the admins' too.", "All members' rights, and the admins' too."),
    ('Say "yes".', 'Say "yes".'),
    ("", ""),
])  # fmt: skip
def test_what_python_quotes_is_quoted_as_on_pages(message, shown):
    assert curly(message) == shown


def test_what_is_quoted_stays_whole_with_the_sign_behind_it():
    html = quoted("Letters and '-', not '<b>'.")
    assert html == 'Letters and <span class="quoted">“-”,</span> not <span class="quoted">“&lt;b&gt;”.</span>'


def test_what_is_not_quoted_is_escaped_too():
    assert quoted("<i> & 'a'") == '&lt;i&gt; &amp; <span class="quoted">“a”</span>'
    assert quoted(mark_safe("<i>'a'</i>")) == "<i>'a'</i>"
