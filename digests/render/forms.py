"""The formats of an edition with their renderers, and a sample edition to test templates with."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from email.utils import parseaddr
from importlib.resources import files

from digests import edition_json
from digests.model.delivery import Rendered
from digests.model.edition import Edition
from digests.render import calendar, epub, feeds, html, markdown, text
from digests.render import mail as mail_message
from digests.render.edition_view import edition_view
from digests.render.mail import MailHead
from digests.render.templating import OwnTemplates
from watcher.model import Article

# The formats, and the names of their files.
FORMATS: Mapping[str, str] = {
    "markdown": "{date}.md",
    "html": "{date}.html",
    "text": "{date}.txt",
    "eml": "{date}.eml",
    "json": "{date}.json",
    "atom": "feed.atom",
    "epub": "{date}.epub",
    "ics": "agenda.ics",
}
NO_ARTICLES: Mapping[str, Article] = {}


def render(
    edition: Edition,
    formats: Sequence[str],
    *,
    mail: MailHead = MailHead(),  # noqa: B008
    site: str | None = None,
    earlier: Sequence[Edition] = (),
    articles: Mapping[str, Article] = NO_ARTICLES,
    own_templates: OwnTemplates = (),
) -> tuple[Rendered, ...]:
    """
    Return the edition in each format, always the same bytes. Errors: DigestError, for a bad address or template.

    `site`: URL of the folder with the files, for the feed; `earlier`: its other editions, in any order; `articles`:
    those whose full texts a book may have, by id.
    """
    view, domain = edition_view(edition), parseaddr(mail.sender)[1].rpartition("@")[2]
    renderers = {
        "markdown": lambda: markdown.render(view, own_templates).encode(),
        "html": lambda: html.render(view, own_templates).encode(),
        "text": lambda: text.render(view, own_templates).encode(),
        "eml": lambda: mail_message.render(view, edition, mail, own_templates),
        "json": lambda: edition_json.dump(edition),
        "atom": lambda: feeds.render_atom((edition, *earlier), domain, site, own_templates).encode(),
        "epub": lambda: epub.render(edition, view, articles, own_templates),
        "ics": lambda: calendar.render_calendar(edition.coming_up, title=edition.title),
    }
    names = {form: FORMATS[form].format(date=edition.local_date) for form in formats}
    return tuple(Rendered(format=form, name=name, body=renderers[form]()) for form, name in names.items())


def try_templates(own_templates: OwnTemplates) -> None:
    """Render a full, a first and an empty edition in every format with own templates. Errors: DigestError."""
    full = sample_edition()
    first = replace(full, previous=None, corrections=(), briefs=(), ended=(), note="")
    for edition in (full, first, replace(first, sections=())):
        render(edition, tuple(FORMATS), own_templates=own_templates, earlier=(full,))


def sample_edition() -> Edition:
    """Return an edition of two stories, one with a quoted and one with a written summary; every field is filled."""
    return edition_json.load((files("digests.render") / "sample_edition.json").read_bytes())
