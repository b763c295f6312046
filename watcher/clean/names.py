"""Names of authors, out of what pages write into author fields and bylines."""

from __future__ import annotations

import re
from collections.abc import Iterable
from html import unescape

MAX_NAMES = 12
LONGEST = 60  # characters of a name
PREFIX = re.compile(
    r"^\W*(?:(?:written|reported|story|text|article|posted|words|created) by|(?:erstellt|verfasst"
    r"|geschrieben) von|by|von|par|por|di|da|av|af|door|od|autor|autorin|author|authors"
    r"|text|tekst|texte|testo|от|автор|текст|بقلم|كتب|文|作者|記者|记者|撰文)(?:\s*[:：]\s*|\s+)",
    re.IGNORECASE,
)
BETWEEN = re.compile(r"\s*[;|•·/\n]\s*|\s*[,、，]\s*|\s+(?:and|und|et|y|e|og|och|en|i|a|и|та|ve|ja|&|with|mit|avec)\s+")
ROLE = re.compile(
    r"^(?:staff|reporter|editor|correspondent|senior|chief|contributor|writer|journalist|redakteur\w*|redaktion"
    r"|korrespondent\w*|volontär\w*"
    r"|political|associate|deputy|special|news|business|sport|sports|opinion|columnist|name|publiziert"
    r"|veröffentlicht|posted|redacción|photographer|producer|updated|published"
    r"|journaliste|periodista|redactora?|giornalista|journalista|frilans|for|of|the|in|at|on|from|für|aus)\b",
    re.IGNORECASE,
)
NOT_NAME = re.compile(r"https?:|www\.|@\w|\.(?:com|org|net|de)\b|\d{2}|[<>{}\[\]=#]", re.IGNORECASE)
PARENTHESIS = re.compile(r"\s*\([^()]{0,60}\)")


def split_names(texts: Iterable[str]) -> tuple[str, ...]:
    """Return the names in `texts`, each once, in order: "By Ann Lee and Bo Ek, Staff Writers" holds two."""
    names: dict[str, str] = {}
    for text in texts:
        if "://" in text:
            continue
        bare = PREFIX.sub("", PARENTHESIS.sub("", " ".join(unescape(text).split())))
        for part in BETWEEN.split(bare):
            name = PREFIX.sub("", part).strip(" .,:;–—-*·\"'")
            if 1 < len(name) <= LONGEST and not NOT_NAME.search(name) and not ROLE.match(name):
                names.setdefault(name.casefold(), name)
    return tuple(list(names.values())[:MAX_NAMES])
