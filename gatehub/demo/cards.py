"""The model cards of the demo: one gate with a rich form, one with two questions."""

from __future__ import annotations

MANUAL = """---
license: apache-2.0
language:
  - en
pipeline_tag: feature-extraction
library_name: transformers
tags:
  - demo
extra_gated_heading: Request access to tiny-bert-research
extra_gated_description: The authors review each request, usually within two working days.
extra_gated_prompt: >-
  By sending this request you agree to the **research terms**: no re-identification of people,
  no use in products, and credit to the authors in what you publish.
extra_gated_button_content: Agree and send request
extra_gated_fields:
  Affiliation: text
  Country: country
  Date of birth:
    type: date_picker
  I want to use this model for:
    type: select
    options:
      - Research
      - Education
      - label: Something else
        value: other
  Tell us about your project:
    type: textarea
    required: false
    help: A few sentences help us to decide sooner.
  I agree to use this model for non-commercial use ONLY: checkbox
---

# tiny-bert-research

A BERT so small that it fits into a demo: two layers, 32 dimensions, random weights. It is **gated**, and every request
is reviewed by hand. Sign in as the demo owner and open the *Settings* tab to see the requests that wait.

## How to use

Once your request is accepted:

```python
from transformers import AutoModel, AutoTokenizer

tokenizer = AutoTokenizer.from_pretrained("demo-lab/tiny-bert-research")
model = AutoModel.from_pretrained("demo-lab/tiny-bert-research")
```

| layers | hidden size | heads | vocabulary |
| ------ | ----------- | ----- | ---------- |
| 2      | 32          | 4     | 88 words   |
"""

AUTOMATIC = """---
license: mit
language:
  - en
pipeline_tag: feature-extraction
library_name: transformers
tags:
  - demo
extra_gated_prompt: You agree to not use the model to conduct experiments that cause harm to human subjects.
extra_gated_fields:
  Company: text
  I agree to use this model for non-commercial use ONLY: checkbox
---

# tiny-bert

The same tiny BERT behind an automatic gate: whoever agrees to the terms may download it at once.
"""
