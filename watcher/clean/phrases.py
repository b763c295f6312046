"""What sites write around an article, in many languages, and what they call its elements; the lists are TOML files."""

from __future__ import annotations

import re
import tomllib
from collections.abc import Callable
from functools import lru_cache
from importlib.resources import files
from typing import Any

WORD = re.compile(r"[^\W_]+")
KEYS = 4_096  # texts whose key is remembered: each rule asks for that of each block
KNOWN_NAMES = 16_384  # class names and ids that are remembered with what they say: a site uses the same on each page


def load_lists(name: str) -> dict[str, Any]:
    """Return what a TOML file of this folder holds."""
    return tomllib.loads((files("watcher.clean") / name).read_text("utf-8"))


def _load_patterns(name: str) -> dict[str, str]:
    return {key: "|".join(alternatives) for key, alternatives in load_lists(name).items()}


_LISTS: dict[str, list[str]] = load_lists("phrases.toml")
PHRASES = _load_patterns("phrases.toml")
CLASS_NAMES = _load_patterns("class_names.toml")
REJECTION = _load_patterns("rejection.toml")
ELEMENTS = {name: frozenset(words.split()) for name, words in load_lists("elements.toml").items()}
DATA_NAMES: dict[str, list[str]] = load_lists("data_names.toml")


@lru_cache(maxsize=KEYS)
def normalize_key(text: str) -> str:
    """Return what two spellings of one text have in common: its letters and digits, in lower case."""
    return "".join(WORD.findall(text.lower()))


def name_test(pattern: str, flags: re.RegexFlag = re.IGNORECASE) -> Callable[[str], bool]:
    """Return a function that says whether class names or an id have what `pattern` looks for, and remembers it."""
    search = re.compile(pattern, flags).search
    return lru_cache(maxsize=KNOWN_NAMES)(lambda names: search(names) is not None)


def _starts(name: str, after: str) -> re.Pattern[str]:
    words = sorted(_LISTS[name], key=len, reverse=True)
    return re.compile(rf"[\W_]{{0,6}}(?:{'|'.join(map(re.escape, words))}){after}", re.IGNORECASE)


def _any_of(name: str, before: str = "", after: str = "") -> re.Pattern[str]:
    return re.compile(rf"{before}(?:{PHRASES[name]}){after}", re.IGNORECASE)


_READ_MORE = _starts("read_more", r"(?:\s?[:：|»>–—!…]|[\W_]*$|\s[^.]{0,40}[:：])")
_BOX = _starts("box", r"(?!\w).{0,50}$")
_LABEL = _starts("labels", r"[\W_]*$")
_ASKS = _any_of("asks", r"(?:^|[.!?:|–•] )[\W_]{0,4}(?:you can |du kannst |please |bitte )?")
_QUOTED = re.compile('["“”„«»「『]')
_CHANNELS = _any_of("channels")
_RATES = _any_of("rates", r"[\W_]{0,4}")
_RIGHTS = _any_of("rights", r"[^\w©ⓒ(]{0,4}", r"[\W_]*$")
_EMBEDS = _any_of("embeds", r"[\W_]{0,4}")


def is_read_more(text: str) -> bool:
    """Whether `text` leads to another article: "Read more: …"."""
    return len(text) < 300 and _READ_MORE.match(text) is not None


def is_teaser_heading(text: str) -> bool:
    """Whether `text` can stand over a box of teasers, a schedule or comments: "More from International"."""
    return len(text) < 80 and text[-1:] not in ".!?。" and _BOX.match(text) is not None


def is_label(text: str) -> bool:
    """Whether `text` is a label or a button alone on its line: "Advertisement"."""
    return len(text) < 60 and _LABEL.match(text) is not None


def is_call_to_action(text: str) -> bool:
    """Whether `text` asks the reader for something: to subscribe, to follow, to comment."""
    if len(text) >= 320 or _QUOTED.search(text):
        return False
    return _RATES.match(text) is not None or bool(_ASKS.search(text[:80]) and _CHANNELS.search(text))


def is_copyright_notice(text: str) -> bool:
    return len(text) < 200 and _RIGHTS.match(text) is not None


def is_embed(text: str) -> bool:
    """Whether `text` stands for something from elsewhere that is not shown, or asks whether it may be."""
    return len(text) < 500 and _EMBEDS.match(text) is not None
