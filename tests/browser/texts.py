"""What the people of the browser tests have written: names and texts as long and as wide as they may be."""

from __future__ import annotations

LONG_ORG = "institute-of" + "Donaudampfschifffahrtsforschung"[: 42 - len("institute-of")]
LONG_USER = "Wolfeschlegelsteinhausenbergerdorff0123456"[:42]
LONG_REPO = ("Rindfleischetikettierungsueberwachungsaufgaben" * 2)[: 96 - 43]
LONG_ADDRESS = f"{'a' * 64}@{'b' * 60}.{'c' * 60}.{'d' * 52}.example"
LONG_FULLNAME = ("Maximiliana-Alexandra Wolfeschlegelsteinhausenbergerdorff von und zu " * 3)[:119] + "."
UNBROKEN_FULLNAME = "Ö" * 120
LONG_LABEL = (
    "By ticking this box I confirm, on behalf of myself and of everybody who will work with the recordings in "
    "my group, that they stay on machines to which only members of the group have access, that they are erased "
    "when the study ends or a speaker withdraws, and that nobody will try to find out who is speaking: yes?"
).ljust(300, "!")[:300]
UNBROKEN_LABEL = "Vertragsnummer" * 20
REASON = ("The affiliation could not be confirmed; write to us from an address of your institute. " * 3)[:200]

assert len(LONG_ORG) == len(LONG_USER) == 42
assert len(f"{LONG_ORG}/{LONG_REPO}") == 96
assert len(LONG_FULLNAME) == len(UNBROKEN_FULLNAME) == 120

RESEARCH_CARD = """---
license: apache-2.0
language: [en, fr, de]
pipeline_tag: feature-extraction
library_name: transformers
base_model: [lab/quiet, elsewhere/of-which-nothing-is-known-here]
base_model_relation: finetune
datasets: [lab/rows]
tags: [small, demo, not-for-all-audiences]
extra_gated_heading: Request access to the research model
extra_gated_description: The authors review each request, usually within two working days.
extra_gated_prompt: >-
  By sending this request you agree to the **research terms**: no re-identification of people, no use in products,
  and credit to the authors in what you publish.
extra_gated_button_content: Agree and send request
extra_gated_fields:
  Affiliation: text
  Country: country
  Date of birth: date_picker
  I want to use this model for:
    type: select
    options: [Research, Education, {label: Something else, value: other}]
  Home page: {type: url, required: false}
  Tell us about your project: {type: textarea, required: false, help: A few *sentences* help us to decide sooner.}
  Your location: ip_location
  I agree to use this model for non-commercial use ONLY: checkbox
---
# A small model for research

It has two layers and random weights. It is **gated**, and every request is reviewed by hand.

> [!NOTE]
> The weights are of no use to anybody.

## How to use

```python
from transformers import AutoModel, AutoTokenizer

tokenizer = AutoTokenizer.from_pretrained("lab/research")  # As in the address of this page, letter for letter.
model = AutoModel.from_pretrained("lab/research", revision="main")
print(model.config.hidden_size, 'and', "so on", 1e-5, None, lambda x: x ** 2)
```

| layers | hidden size | heads | vocabulary | optimizer | learning rate | warm-up | seed of the run |
| -----: | ----------- | :---: | ---------- | --------- | ------------- | ------- | --------------- |
| 2      | 32          | 4     | 88 words   | AdamW     | 0.0005        | 400     | 20260101        |
| 4      | 64          | 4     | 88 words   | AdamW     | 0.0005        | 400     | 20260101        |

- [x] weights
- [ ] a paper, see [the page of the lab](https://lab.example.org/papers/a-very-long-address-that-cannot-be-broken/index.html)

1. First, `hf auth login`.
2. Then download.

### Limits

Nothing that it says is *true*.[^1] The run[^run] is described elsewhere.

![The loss, step by step](loss.svg)

> [!CAUTION]
> Not for [patients](https://lab.example.org/patients).

#### More

[^1]: By chance it may be.
[^run]: With `seed` 20260101.
"""

ANSWERS = {
    "Affiliation": "Example University",
    "Country": "FR",
    "Date of birth": "1990-04-01",
    "I want to use this model for": "Research",
    "Tell us about your project": "We measure how small a model can be before it stops being useful.",
    "I agree to use this model for non-commercial use ONLY": "true",
}

LONG_ANSWER = "\n\n".join(
    f"{number}. We measure how small a model can be before it stops being useful, and to whom. " * 6
    for number in range(1, 21)
)

_PROMPT = "\n\n".join(
    f"  ## {number}. Clause\n\n  Results may be published; *recordings* may **not**, whoever asks for them. "
    f"A copy for a colleague is a new request, made in [their own name](https://lab.example.org/ask/{number}). "
    + "It binds you and your group as long as you keep a copy. "
    * 5
    for number in range(1, 46)
)
WILD_CARD = f"""---
extra_gated_heading: {"Conditions of the archive " * 6}
extra_gated_prompt: |-
{_PROMPT}

  ```
  {"a line of code that is much wider than any phone and cannot be broken anywhere at all " * 3}
  ```
extra_gated_button_content: I have read all of it, I understand it, I agree, and I ask for access to the recordings
extra_gated_fields:
  ? "{LONG_LABEL}"
  : checkbox
  ? "{UNBROKEN_LABEL}"
  : text
  "هل توافق على الشروط؟ 同意しますか <b>Да?</b>":
    type: select
    options: ["{"an option with many words " * 10}", "いいえ"]
---
# {"Rindfleischetikettierungsueberwachungsaufgabenuebertragungsgesetz" * 2}

{"Word" * 60}

    {"an indented line of code that is wide " * 8}
"""
WILD_ANSWERS = {
    LONG_LABEL: "true",
    UNBROKEN_LABEL: "Antwort" * 60,
    "هل توافق على الشروط؟ 同意しますか <b>Да?</b>": "いいえ",
}

EUROPE_CARD = """---
extra_gated_eu_disallowed: true
---
# Elsewhere
"""
FILES_CARD = """---
license: cc-by-4.0
---
# Two hundred files
"""
BROKEN_CARD = """---
extra_gated_fields:
  Company: text
   Country: country
---
# Broken
"""
ANY_HTML_CARD = r"""---
license: mit
extra_gated_heading: "#### Terms"
extra_gated_prompt: "#### Four\n\n###### Six\n\n| |x|\n|-|-|\n\n<li>loose</li>\n\n[](x)"
extra_gated_fields:
  Company: text
---
#### Starts at four

<li>loose item</li>

<dt>loose term</dt><dd>loose</dd>

<ul>text in list<p>para</p><li>ok</li></ul>

<ol><div>in ol</div></ol>

<dl><p>in dl</p><dt>a</dt><dd>b</dd></dl>
<dl><div><span>x</span></div></dl>

<table><caption>cap</caption><tr><th></th><th>head only</th></tr></table>
<table><tr><td colspan=2>x</td></tr><tr><th>row</th></tr></table>

<details><p>no summary</p></details>
<details><summary></summary>empty summary</details>
<details><summary><a href="x">link</a> text</summary>nested link</details>
<details><summary><img src="loss.svg"></summary>img</details>

<img src="loss.svg">

<a href="x"><br></a>
<a href="#nowhere">to nowhere</a>
<a id="a"></a><a id="a"></a>

<p lang="xx">lang</p>

<h1></h1>
<h2>  </h2>
<h3><img src="loss.svg"></h3>
<h3><b></b></h3>

#

## [](x)

###### six

<section>sec</section>

> [!NOTE]
> alert

Footnote[^1] and again[^1].

[^1]: text

<marquee>m</marquee>

<center>c</center>

text **<sub>tiny</sub>** <small>small</small> <kbd>k</kbd>

- [ ] task
- [x] done

| a | b |
|---|---|

<pre>long pre without code</pre>

<td>loose cell</td>

<summary>loose summary</summary>

<figcaption>loose caption</figcaption>
"""
"""What authors write that is no such list, heading or fold as it says."""
SOURCE = "\n".join(
    f"def function_{number}(argument: int = {number}) -> str:  # {'A comment ' * (number % 17)}\n"
    f'    return f"{{argument}} of {number}"\n'
    for number in range(25)
)
LONG_TABLE = "step,loss,rates\n" + "".join(f"{step},{1 / step:.6f}{',0.0005' * 15}\n" for step in range(1, 6001))
"""More than the page of a file shows."""
PICTURE = b"""<svg xmlns="http://www.w3.org/2000/svg" width="900" height="300">
<rect width="900" height="300" fill="#0b6658"/>
<circle cx="450" cy="150" r="90" fill="#faf9f6"/></svg>"""


def noise(size: int) -> bytes:
    """Bytes that are no text, the same each time."""
    return (bytes(range(256)) * (size // 256 + 1))[:size]


CREDENTIAL = {
    # What a browser answers when a security key is added.
    "type": "public-key",
    "id": "a2V5LW9mLXN0ZWxsYS0xNg",
    "rawId": "a2V5LW9mLXN0ZWxsYS0xNg",
    "response": {
        "clientDataJSON": (
            "eyJ0eXBlIjogIndlYmF1dGhuLmNyZWF0ZSIsICJjaGFsbGVuZ2UiOiAiZUEiLCAib3JpZ2luIjogImh0dHA6Ly8xMjcuMC4wLjEifQ"
        ),
        "attestationObject": (
            "o2NmbXRkbm9uZWdhdHRTdG10oGhhdXRoRGF0YViUEsoXtJryKJQ28wPgFmAwoh5SXSZuIJJnQzgBqP1AcaBFAAAAAA"
            "AAAAAAAAAAAAAAAAAAAAAAEGtleS1vZi1zdGVsbGEtMTalAQIDJiABIVgg_ENZ8KfswtPf22tN1uIzgdzFhAjZIncI"
            "fRbhWoeImeMiWCD-izKG2n3S3ppo4wri2HT0g4i06h7vHtcr-6eE3VpD0A"
        ),
    },
    "clientExtensionResults": {},
}
