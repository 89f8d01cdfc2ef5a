"""How the tests of the pages read a page and press its buttons, as a person would."""

from __future__ import annotations

from typing import Any
from urllib.parse import urlencode

from bs4 import BeautifulSoup, Tag
from django.test import Client


def soup(response: Any) -> BeautifulSoup:
    return BeautifulSoup(response.content, "html.parser")


def words(node: Any) -> str:
    """The text of a page or a part of it, in one line."""
    return " ".join(node.get_text(" ").split())


def form_to(page: BeautifulSoup | Tag, path: str, containing: str = "") -> Tag:
    """The one form that posts to that path; of several, the first whose text or values contain the words."""
    for form in page.select("form"):
        action = form.get("action", "").partition("?")[0]
        if action == path and form.get("method") == "post" and containing in str(form):
            return form
    raise AssertionError(f"no form to {path} with {containing!r}")


def data_of(form: Tag) -> dict[str, Any]:
    """What a browser would send: hidden and filled-in controls, ticked boxes, selected options."""
    data: dict[str, Any] = {}
    for control in form.select("input[name], textarea[name], select[name]"):
        name, kind = control["name"], control.get("type", "text")
        if control.name == "select":
            chosen = control.select_one("option[selected]") or control.select_one("option")
            data[name] = chosen.get("value", chosen.text) if chosen else ""
        elif control.name == "textarea":
            data[name] = control.text
        elif kind not in ("checkbox", "radio") or control.has_attr("checked"):
            data[name] = control.get("value", "on" if kind in ("checkbox", "radio") else "")
    return data


def press(client: Client, page: BeautifulSoup | Tag, path: str, containing: str = "", **given: Any) -> Any:
    """Send the form as it stands, with what was typed, and with its one submit button if that has a name."""
    form = form_to(page, path, containing)
    data = data_of(form)
    named = form.select("button[name]")
    if len(named) == 1:
        data[named[0]["name"]] = named[0].get("value", "")
    # As browsers do for a form without files; the test client would send multipart/form-data.
    body = urlencode(data | given, doseq=True)
    return client.post(form["action"], body, content_type="application/x-www-form-urlencoded")


def label_of(page: BeautifulSoup | Tag, control: Tag) -> str:
    """The accessible name of a control."""
    if control.get("aria-label"):
        return control["aria-label"]
    label = page.select_one(f'label[for="{control["id"]}"]')
    assert label is not None, f"no label for {control}"
    return label.get_text()


def described(page: BeautifulSoup | Tag, control: Tag) -> str:
    """What `aria-describedby` says about a control."""
    ids = control.get("aria-describedby", "").split()
    return " ".join(words(page.find(id=id_)) for id_ in ids)


def people_on(page: BeautifulSoup) -> list[str]:
    """Who is listed in a review."""
    return [link.text for link in page.select("#requests .request .who a")]


def assert_nothing_inline(response: Any) -> None:
    """The CSP is strict: no inline script, no inline style, no handlers, no javascript: links."""
    page = soup(response)
    for script in page.select("script"):
        assert script.get("src"), script
        assert not script.text.strip(), script
    assert not page.select("style")
    for node in page.find_all(True):
        for attribute, value in node.attrs.items():
            assert not attribute.lower().startswith("on"), node
            assert attribute.lower() != "style", node
            if attribute in ("href", "src", "action"):
                assert not str(value).strip().lower().startswith(("javascript:", "data:text")), node


def told_to_staff(response: Any) -> str:
    """What a page of the admin tells of what was just done."""
    return " | ".join(words(item) for item in soup(response).select(".staff-messages li"))
