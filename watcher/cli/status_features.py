"""What `watcher status` says of features and vectors: how many articles wait for theirs, and why none are made."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from sqlalchemy import Engine

    from watcher.settings.model import Settings

TROUBLE_CHARS = 300


def features_found(settings: Settings, engine: Engine) -> dict[str, Any]:
    """Return, as JSON has it, which embedder is in use and how many articles wait for it, or for newer features."""
    from watcher.features.embed import choice_of, usable_embedder
    from watcher.features.extract import FEATURES_VERSION
    from watcher.store.embedders import embedder_noted
    from watcher.store.features import count_outdated, count_without_vector
    from watcher.store.writer import read

    choice = usable_embedder(choice_of(settings.semantic))
    noted = read(engine, embedder_noted)
    used = noted if noted is not None and choice is not None and noted.mark == choice.mark else None
    name = used.name if used else None
    return {
        "embedder": choice.setting if choice else "none",
        "model": name,
        "without_vector": read(engine, lambda c: count_without_vector(c, model=name)) if choice else 0,
        "trouble": used.trouble if used else None,
        "outdated": read(engine, lambda c: count_outdated(c, version=FEATURES_VERSION)),
    }


def features_lines(found: dict[str, Any]) -> Iterator[str]:
    """Yield what a person should know of it; nothing where all is made."""
    from watcher.feeds.html_text import one_line

    if found["without_vector"]:
        by = one_line(found["model"] or found["embedder"], 100)
        waiting = found["without_vector"]
        some = "1 article has" if waiting == 1 else f"{waiting} articles have"
        yield f"vectors  {some} none of {by} yet; they get it while the daemon runs"
    if found["trouble"]:
        yield f"         no vectors are made: {one_line(found['trouble'], TROUBLE_CHARS)}"
    if found["outdated"]:
        some = "1 article has" if found["outdated"] == 1 else f"{found['outdated']} articles have"
        yield f"features {some} those of an older version; they are made anew by and by"
