"""The forms of an edition: one renderer a form, one line in the table."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

from digests.errors import DigestError
from digests.model import Edition, Rendered
from digests.render import html, mail, markdown, text
from digests.render.mail import MailSettings
from digests.render.view import EditionView, view

Renderer = Callable[[EditionView, Edition, MailSettings], bytes]

# What a form is made by, and the end of its file's name.
FORMATS: Mapping[str, tuple[str, Renderer]] = {
    "markdown": ("md", lambda v, edition, settings: markdown.render(v).encode()),
    "html": ("html", lambda v, edition, settings: html.render(v).encode()),
    "text": ("txt", lambda v, edition, settings: text.render(v).encode()),
    "eml": ("eml", mail.render),
}


def render(
    edition: Edition,
    formats: Sequence[str],
    *,
    mail: MailSettings = MailSettings(),  # noqa: B008
) -> tuple[Rendered, ...]:
    """
    Return the edition in each of `formats`, in their order; the same edition gives the same bytes.

    Raises:
        DigestError: If a form is not known, or the mail's addresses are none.
    """
    unknown = [name for name in formats if name not in FORMATS]
    if unknown:
        raise DigestError(f"no such form: {', '.join(unknown)}; known are {', '.join(FORMATS)}")
    shown = view(edition)
    return tuple(
        Rendered(format=name, name=f"{edition.local_date.isoformat()}.{ending}", body=make(shown, edition, mail))
        for name, (ending, make) in ((name, FORMATS[name]) for name in dict.fromkeys(formats))
    )
