"""Forms with the labels that authors write, filled in by a real browser: every key comes back letter for letter."""

from __future__ import annotations

import pytest

from repos import cards
from tests.repos.cards.test_wild import answers_to, card, form

NAMES = [
    "05-complex-keys-of-300-characters",
    "07-labels-with-markup",
    "08-many-scripts",
    "09-folded-and-literal-scalars",
    "10-yes-and-no-are-words",
    "15-our-additions",
    "37-labels-like-controls-of-the-page",
    "38-spaces-around-labels",
    "39-scalars-of-yaml-1.1",
]


@pytest.fixture(scope="module")
def people(stage):
    """Somebody who publishes all of them, and somebody who asks for all."""
    return stage.next(), stage.next()


@pytest.mark.parametrize("name", NAMES)
def test_every_answer_arrives_under_its_label(visit, people, hub, name, javascript):
    owner, guest = people
    repo_id = f"{owner.name}/wild-{name[:2]}-{javascript}"
    hub.publish(repo_id, owner, {"README.md": card(name)})
    spec = form(name)
    page = visit(f"/{repo_id}", guest)
    answers = answers_to(spec)
    for number, field in enumerate(spec.fields):
        control = page.locator(f"#{cards.control_name(number)}")
        if field.type == "checkbox":
            control.check()
        elif field.type in ("select", "country"):
            options = {option.label: option.value for option in field.options}
            control.select_option(value=options.get(answers[field.label], "FR"))
        elif field.type != "ip_location":
            control.fill(answers[field.label])
    page.locator("#gate form button[type=submit]").click()
    page.get_by_text("Your request is awaiting review").wait_for()
    (row,) = hub.call("GET", f"/api/models/{repo_id}/user-access-request/pending", owner).json()
    assert list(row["fields"].items()) == list(cards.clean_answers(spec, answers).items())
