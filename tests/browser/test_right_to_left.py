"""A gate and a card in Arabic, by people who have Arabic names: each text runs as its script does."""

from __future__ import annotations

import pytest

HEADING = "هل تريد الوصول؟ (GateHub)"
LABEL = "ما اسم مؤسستك؟ (Company, Inc.)"
CARD = f"""---
extra_gated_heading: "{HEADING}"
extra_gated_prompt: |
  باستخدام هذا النموذج (GateHub) توافق على الشروط.

  In English, too.
extra_gated_button_content: "أوافق (OK)."
extra_gated_fields:
  "{LABEL}": text
  "اختر (one):":
    type: select
    options: ["بحث (R&D).", "Company, Inc."]
  "ملاحظات (optional):": {{type: textarea, required: false, help: "سطر واحد (GateHub)."}}
  "Company, Inc. (English)": text
  "أوافق على الشروط (GateHub).": checkbox
---
## نموذج (GateHub).

- واحد (1).
- اثنان (2).

> اقتباس (GateHub).

In English.

1. One
2. Two
"""
DIRECTION = "element => getComputedStyle(element).direction"


@pytest.fixture
def gate(visit, hub, owner, guest):
    name = f"{owner.name}/arabic"
    hub.publish(name, owner, {"README.md": CARD.encode()})

    def open_page():
        return visit(f"/{name}", guest)

    return open_page


@pytest.mark.parametrize("width", [1280, 360])
def test_each_text_runs_as_its_script_does(gate, width, javascript):
    page = gate()
    page.set_viewport_size({"width": width, "height": 900})
    company = page.get_by_label(LABEL)
    english = page.get_by_label("Company, Inc. (English)")
    company.fill("شركة، (ش.م.م.)")
    english.fill("Example, Inc.")
    runs = {
        "#gate-heading": "rtl",
        ".prompt p:nth-child(1)": "rtl",
        ".prompt p:nth-child(2)": "ltr",
        "#gate form button[type=submit]": "rtl",
        "article.prose h2": "rtl",
        "article.prose ul": "rtl",
        "article.prose li": "rtl",
        "article.prose blockquote": "rtl",
        "article.prose > p": "ltr",
        "article.prose ol": "ltr",
        "#gate .help p": "rtl",
        "#gate option:nth-child(2)": "rtl",
        "#gate option:nth-child(3)": "ltr",
    }
    assert {found: page.locator(found).first.evaluate(DIRECTION) for found in runs} == runs
    assert (company.evaluate(DIRECTION), english.evaluate(DIRECTION)) == ("rtl", "ltr")
    labels = page.locator("#gate .field > label")
    assert [label.evaluate(DIRECTION) for label in labels.all()] == ["rtl", "rtl", "rtl", "ltr", "rtl"]
    field, label = page.locator("#gate .field").first.bounding_box(), labels.first.bounding_box()
    assert label["x"] + label["width"] == pytest.approx(field["x"] + field["width"], abs=1)
    assert page.evaluate("document.documentElement.scrollWidth") <= width
