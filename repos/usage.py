"""How to use a repo, tool by tool, as lines to copy: with this server's address, in the words of the named library."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass

from repos.cards import metadata
from repos.git import GitRepo
from repos.models import Repo

SIGN_IN_FIRST = "sign-in"
GIT_ASKS = "git"


@dataclass(frozen=True, slots=True)
class Lines:
    """How to use a repo with one tool.

    `note` says what goes before: `sign-in` (with `hf auth login` or HF_TOKEN), `git` (it asks for a token by itself).
    `base` is the model that the lines load as well, which must be on this server, too.
    """

    title: str
    text: str
    note: str = ""
    base: str = ""
    is_guess: bool = False
    """Whether nothing says that the tool is the one for it."""


def download_lines(repo: Repo, *, endpoint: str, library: str = "") -> list[Lines]:
    """How to download; the command line first.

    `endpoint` is this server's address, without a slash at the end.  `library` has lines of its own, if they are known
    here.
    """
    closed = repo.is_gated or repo.private
    login = "hf auth login\n" if closed else ""
    shell = f"export HF_ENDPOINT={endpoint}\n{login}hf download {repo.repo_id}{_kind(repo)}"
    argument = "" if repo.type == Repo.Type.MODEL else ', repo_type="dataset"'
    python = (
        f"from huggingface_hub import snapshot_download\n\npath = snapshot_download({_text(repo.repo_id)}{argument})"
    )
    of_the_library = _of_the_library(repo, library)
    lines = [("Python", python, ""), *([of_the_library] if of_the_library else [])]
    note = SIGN_IN_FIRST if closed else ""
    first = (
        f'import os\n\n# Before anything that downloads is imported.\nos.environ["HF_ENDPOINT"] = {_text(endpoint)}\n\n'
    )
    return [
        Lines("Command line", shell),
        *(Lines(title, first + text, note, base) for title, text, base in lines),
        *_guess(repo, library, first, note),
        Lines("git", f"git lfs install\ngit clone {endpoint}{repo.path}", GIT_ASKS if closed else ""),
    ]


def upload_lines(repo: Repo, *, endpoint: str) -> list[Lines]:
    """How to fill a repo that has no card yet."""
    shell = f"export HF_ENDPOINT={endpoint}\nhf auth login\nhf upload {repo.repo_id} .{_kind(repo)}"
    git = (
        f"git lfs install\ngit clone {endpoint}{repo.path}\ncd {repo.name}\n"
        'git add .\ngit commit -m "Add files"\ngit push'
    )
    return [Lines("Command line: the folder that you are in", shell), Lines("git", git, GIT_ASKS)]


def _kind(repo: Repo) -> str:
    return "" if repo.type == Repo.Type.MODEL else " --repo-type dataset"


def _text(value: str) -> str:
    """A text as Python writes it; JSON's notation is the same for what a name or an address may hold."""
    return json.dumps(value)


_TextAndBase = tuple[str, str]
"""Python source, and the model that it loads as well, "" for none."""


def _guess(repo: Repo, library: str, first: str, note: str) -> list[Lines]:
    """Where nothing says what loads a model, what loads most."""
    if library or repo.type != Repo.Type.MODEL:
        return []
    return [Lines("transformers", first + _transformers(repo)[0], note, is_guess=True)]


def library_of(repo: Repo) -> str:
    """The library that the card of a model names, by itself or among its tags; empty for none."""
    if repo.type == Repo.Type.DATASET:
        return ""
    return metadata.library_name(repo.card_data) or _library_among_tags(repo)


def library_of_files(git: GitRepo, commit: str) -> str:
    """The library whose files a model has, where its card names none, as today's Hub sees it; empty for none."""
    found = {entry.path: entry for entry in git.paths_info(commit, [*_BY_FILE, CONFIG])}
    known = next((library for path, library in _BY_FILE.items() if path in found), "")
    config = found.get(CONFIG)
    if known or config is None or config.type != "file" or config.lfs is not None or config.size > CONFIG_MAX_BYTES:
        return known
    try:
        said = json.loads(git.read_blob(config.oid))
    except (ValueError, RecursionError):
        return ""
    return "transformers" if isinstance(said, dict) and ("model_type" in said or "architectures" in said) else ""


_BY_FILE = {
    "adapter_config.json": "peft",
    "model_index.json": "diffusers",
    "modules.json": "sentence-transformers",
}
CONFIG = "config.json"
"""Which other libraries have, too, with other keys."""
CONFIG_MAX_BYTES = 256 * 1024


def _of_the_library(repo: Repo, library: str) -> tuple[str, str, str] | None:
    """Title, source and base for the library; None for one whose lines are not known here."""
    if repo.type == Repo.Type.DATASET:
        return "datasets", f"from datasets import load_dataset\n\nrows = load_dataset({_text(repo.repo_id)})", ""
    source = _SOURCES.get(library.lower())
    text, base = source(repo) if source else ("", "")
    return (library, text, base) if text else None


def _library_among_tags(repo: Repo) -> str:
    return next((tag for tag in metadata.tags_of(repo.card_data, repo.type) if tag.lower() in _SOURCES), "")


_AUTO_CLASSES = {
    "fill-mask": "AutoModelForMaskedLM",
    "question-answering": "AutoModelForQuestionAnswering",
    "summarization": "AutoModelForSeq2SeqLM",
    "text2text-generation": "AutoModelForSeq2SeqLM",
    "text-classification": "AutoModelForSequenceClassification",
    "text-generation": "AutoModelForCausalLM",
    "token-classification": "AutoModelForTokenClassification",
    "translation": "AutoModelForSeq2SeqLM",
}
_OTHER_INPUT = ("image", "audio", "video", "speech", "depth", "object", "visual", "document", "mask", "any-to-any")
"""What is in the names of tasks for which no tokenizer alone will do."""


def _transformers(repo: Repo) -> _TextAndBase:
    name = _text(repo.repo_id)
    task = metadata.pipeline_tag(repo.card_data) or ""
    if task not in _AUTO_CLASSES and any(word in task for word in _OTHER_INPUT):
        return f"from transformers import pipeline\n\npipe = pipeline({_text(task)}, model={name})", ""
    auto = _AUTO_CLASSES.get(task, "AutoModel")
    return (
        f"from transformers import {auto}, AutoTokenizer\n\n"
        f"tokenizer = AutoTokenizer.from_pretrained({name})\nmodel = {auto}.from_pretrained({name})"
    ), ""


def _sentence_transformers(repo: Repo) -> _TextAndBase:
    return (
        "from sentence_transformers import SentenceTransformer\n\n"
        f'model = SentenceTransformer({_text(repo.repo_id)})\nvectors = model.encode(["a sentence", "another one"])'
    ), ""


def _diffusers(repo: Repo) -> _TextAndBase:
    name = _text(repo.repo_id)
    base = _base(repo)
    if base and metadata.base_relation_of(repo.card_data) == "adapter":
        return (
            "from diffusers import DiffusionPipeline\n\n"
            f"pipe = DiffusionPipeline.from_pretrained({_text(base)})\npipe.load_lora_weights({name})"
        ), base
    return f"from diffusers import DiffusionPipeline\n\npipe = DiffusionPipeline.from_pretrained({name})", ""


def _peft(repo: Repo) -> _TextAndBase:
    name, base = _text(repo.repo_id), _base(repo)
    auto = _AUTO_CLASSES.get(metadata.pipeline_tag(repo.card_data) or "", "AutoModel")
    if not base:
        return f"from peft import AutoPeftModel\n\nmodel = AutoPeftModel.from_pretrained({name})", ""
    return (
        f"from peft import PeftModel\nfrom transformers import {auto}\n\n"
        f"base = {auto}.from_pretrained({_text(base)})\nmodel = PeftModel.from_pretrained(base, {name})"
    ), base


def _adapters(repo: Repo) -> _TextAndBase:
    base = _base(repo)
    if not base:
        return "", ""
    return (
        "from adapters import AutoAdapterModel\n\n"
        f"model = AutoAdapterModel.from_pretrained({_text(base)})\n"
        f"model.load_adapter({_text(repo.repo_id)}, set_active=True)"
    ), base


def _timm(repo: Repo) -> _TextAndBase:
    return f"import timm\n\nmodel = timm.create_model({_text(f'hf-hub:{repo.repo_id}')}, pretrained=True)", ""


def _base(repo: Repo) -> str:
    return next(iter(metadata.base_models_of(repo.card_data)), "")


_SOURCES: dict[str, Callable[[Repo], _TextAndBase]] = {
    "adapter-transformers": _adapters,
    "adapters": _adapters,
    "diffusers": _diffusers,
    "peft": _peft,
    "sentence-transformers": _sentence_transformers,
    "timm": _timm,
    "transformers": _transformers,
}
