"""What `watcher check` looks at for the digests: a reader's own templates, tried on an edition that has everything."""

from __future__ import annotations

from digests.edition.publish import own_templates
from digests.render.sample_edition import try_templates
from digests.settings.digests import digests_of
from watcher.settings.model import Settings


def templates(settings: Settings) -> dict[str, int]:
    """Return how many templates the digests have of their own. Errors: DigestError if one is wrong."""
    own = {digest.templates: own_templates(digest.templates) for digest in digests_of(settings) if digest.templates}
    for files in own.values():
        try_templates(files)
    return {"templates": sum(map(len, own.values()))} if own else {}
