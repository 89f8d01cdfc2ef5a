"""The browser tests notice what a browser complains of, which no other test would."""

from __future__ import annotations

import pytest

from tests.support.chromium import Watch

WRONG = {
    "inline script": "document.body.append(Object.assign(document.createElement('script'), { text: 'f()' }))",
    "inline style": "document.body.setAttribute('style', 'color: red')",
    "error": "setTimeout(() => { throw new Error('oh') })",
    "rejected": "setTimeout(() => Promise.reject(new Error('oh')))",
    "complaint": "console.error('oh')",
    "missing": "void fetch('/static/missing.css')",
    "elsewhere": "document.body.append(Object.assign(new Image(), { src: 'https://elsewhere.example/x.png' }))",
}


@pytest.mark.usefixtures("new_context")
@pytest.mark.parametrize("script", WRONG.values(), ids=WRONG)
def test_what_is_wrong_is_noticed(chromium, stage, script):
    context = chromium.browser.new_context()
    watch = Watch(context, stage.url)
    page = context.new_page()
    page.goto(f"{stage.url}/login")
    assert watch.problems == []
    page.evaluate(f"() => {{ {script} }}")
    page.wait_for_timeout(300)
    context.close()
    assert watch.problems != []


def test_django_has_its_database_while_the_browser_waits(chromium, ada):
    assert chromium.browser.is_connected()
    ada.refresh_from_db()
