"""The lines with which a model or a dataset is used, on its page."""

from __future__ import annotations

import pytest

from repos import usage
from repos.models import Repo
from tests.web.pages import soup, words


def titles(page) -> list[str]:
    return [words(title) for title in page.select("#use summary")]


@pytest.mark.parametrize(("card", "lines"), [
    ("library_name: transformers", "model = AutoModel.from_pretrained(\"lab/m\")"),
    ("library_name: transformers\npipeline_tag: text-generation", "from transformers import AutoModelForCausalLM,"),
    ("library_name: transformers\npipeline_tag: fill-mask", "AutoModelForMaskedLM.from_pretrained"),
    ("library_name: transformers\npipeline_tag: image-classification",
     'pipe = pipeline("image-classification", model="lab/m")'),
    ("library_name: sentence-transformers", 'SentenceTransformer("lab/m")'),
    ("library_name: diffusers", 'DiffusionPipeline.from_pretrained("lab/m")'),
    ("library_name: diffusers\nbase_model: lab/base\nbase_model_relation: adapter",
     'pipe = DiffusionPipeline.from_pretrained("lab/base")\npipe.load_lora_weights("lab/m")'),
    ("library_name: peft", 'AutoPeftModel.from_pretrained("lab/m")'),
    ("library_name: peft\nbase_model: lab/base\npipeline_tag: text-generation",
     'base = AutoModelForCausalLM.from_pretrained("lab/base")\nmodel = PeftModel.from_pretrained(base, "lab/m")'),
    ("library_name: adapter-transformers\nbase_model: lab/base", 'model.load_adapter("lab/m", set_active=True)'),
    ("library_name: timm", 'timm.create_model("hf-hub:lab/m", pretrained=True)'),
])  # fmt: skip
def test_how_to_use_it_is_said_for_the_library_that_the_card_names(make_repo, browser, lab, ada, card, lines):
    make_repo("lab/m", by=ada, files={"README.md": f"---\n{card}\n---\n".encode()})
    page = soup(browser().get("/lab/m"))
    library = card.partition("\n")[0].removeprefix("library_name: ")
    assert titles(page) == ["Command line", "Python", library, "git"]
    said = page.select("#use details")[2]
    code = said.code.text
    assert lines in code
    assert code.startswith("import os\n")
    assert 'os.environ["HF_ENDPOINT"] = "http://testserver"' in code
    compile(code, "lines", "exec")
    assert ("lab/base as well" in words(said)) == ('"lab/base"' in code)


@pytest.mark.parametrize("card", ["tags: [x]", "library_name: 3"])
def test_where_nobody_says_what_loads_it_there_are_the_lines_for_most(make_repo, browser, lab, ada, card):
    make_repo("lab/m", by=ada, files={"README.md": f"---\n{card}\n---\n".encode()})
    page = soup(browser().get("/lab/m"))
    assert titles(page) == ["Command line", "Python", "transformers", "git"]
    said = page.select("#use details")[2]
    assert "These lines work if it is one for transformers" in words(said)
    compile(said.code.text, "lines", "exec")


@pytest.mark.parametrize("card", ["library_name: mine", "library_name: adapter-transformers"])
def test_a_library_that_is_not_known_leaves_the_hub_s_own(make_repo, browser, lab, ada, card):
    make_repo("lab/m", by=ada, files={"README.md": f"---\n{card}\n---\n".encode()})
    assert titles(soup(browser().get("/lab/m"))) == ["Command line", "Python", "git"]


@pytest.mark.parametrize(
    ("files", "library"),
    [
        ({"config.json": b'{"model_type": "bert"}'}, "transformers"),
        ({"config.json": b'{"architectures": ["BertModel"]}'}, "transformers"),
        ({"config.json": b'{"model_type": "bert"}', "modules.json": b"[]"}, "sentence-transformers"),
        ({"config.json": b'{"model_type": "bert"}', "adapter_config.json": b"{}"}, "peft"),
        ({"model_index.json": b"{}"}, "diffusers"),
        ({"config.json": b'{"architecture": "resnet18"}'}, None),
        ({"config.json": b"{broken"}, None),
        ({"config.json": b"[" * 100_000}, None),
        ({"config.json": b'"model_type"'}, None),
        ({"config.json": b'{"model_type": "' + b"x" * usage.CONFIG_MAX_BYTES + b'"}'}, None),
        ({"config.json/model_type": b"bert"}, None),
        ({"sub/config.json": b'{"model_type": "bert"}'}, None),
    ],
)
def test_where_the_card_names_no_library_the_files_say_which(make_repo, browser, lab, ada, files, library):
    make_repo("lab/m", by=ada, files={"README.md": b"---\nlicense: mit\n---\n", **files})
    page = soup(browser().get("/lab/m"))
    assert titles(page) == ["Command line", "Python", library or "transformers", "git"]
    assert ("Neither the card nor the files say" in words(page.select_one("#use"))) == (library is None)


def test_the_card_is_believed_before_the_files(make_repo, browser, lab, ada):
    files = {"README.md": b"---\nlibrary_name: timm\n---\n", "config.json": b'{"model_type": "bert"}'}
    make_repo("lab/m", by=ada, files=files)
    assert titles(soup(browser().get("/lab/m")))[2] == "timm"


def test_files_of_a_dataset_name_no_library_of_models(make_repo, browser, lab, ada):
    files = {"README.md": b"---\nlicense: mit\n---\n", "config.json": b'{"model_type": "bert"}'}
    make_repo("lab/d", by=ada, type_="dataset", files=files)
    assert titles(soup(browser().get("/datasets/lab/d"))) == ["Command line", "Python", "datasets", "git"]


def test_a_library_may_be_named_among_the_tags(make_repo, browser, lab, ada):
    """As older cards do."""
    card = b"---\ntags: [small, Transformers, peft]\npipeline_tag: text-generation\n---\n"
    make_repo("lab/tagged", by=ada, files={"README.md": card})
    page = soup(browser().get("/lab/tagged"))
    assert titles(page) == ["Command line", "Python", "Transformers", "git"]
    assert "AutoModelForCausalLM.from_pretrained(" in words(page.select_one("#use"))


def test_a_base_model_with_quotes_in_its_name_breaks_out_of_nothing(make_repo, browser, lab, ada):
    card = b"---\nlibrary_name: peft\nbase_model: 'x\"); import os #'\n---\n"
    make_repo("lab/m", by=ada, files={"README.md": card})
    code = soup(browser().get("/lab/m")).select("#use details")[2].code.text
    assert 'from_pretrained("x\\"); import os #")' in code
    compile(code, "lines", "exec")


def test_only_what_is_closed_asks_to_sign_in_first(make_repo, browser, lab, ada):
    make_repo("lab/open", by=ada)
    make_repo("lab/private", by=ada, private=True)
    for path, closed in (("/lab/open", False), ("/lab/private", True)):
        use = words(soup(browser(ada).get(path)).select_one("#use"))
        assert ("hf auth login" in use) is closed
        assert ("git asks for your user name" in use) is closed


def test_what_does_not_work_while_the_model_is_disabled_says_so(gated_repo, browser, ada):
    Repo.objects.update(disabled=True)
    use = words(soup(browser(ada).get("/lab/toxic-bert")).select_one("#use"))
    assert "These lines work once the staff of this server enable the model again." in use
