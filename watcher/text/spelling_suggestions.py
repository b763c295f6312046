"""Suggestions for misspelt names."""

from collections.abc import Iterable
from difflib import get_close_matches


def did_you_mean(word: str, known: Iterable[str]) -> str:
    """Return `; did you mean "…"?` with the name in `known` most similar to `word`, or "" if none is similar."""
    by_fold = {name.casefold(): name for name in sorted(known)}
    for asked in (word.casefold().replace("-", "_"), word.casefold()):
        for found in get_close_matches(asked, by_fold, n=1):
            return f'; did you mean "{by_fold[found]}"?'
    return ""
