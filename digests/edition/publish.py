"""An edition's files and messages, rendered in the digest's formats, for its folder and the outbox."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import date
from email.message import EmailMessage
from pathlib import Path

from sqlalchemy import Connection, Engine

from digests.analysis.corrections import apply_revisions
from digests.errors import DigestError
from digests.model.delivery import OutboundMessage, Rendered
from digests.model.edition import Edition
from digests.render import epub, webhook
from digests.render.edition_view import edition_view
from digests.render.escape import page_url
from digests.render.feeds import MAX_ENTRIES
from digests.render.forms import FORMATS, NO_ARTICLES, render
from digests.render.mail import MailHead, address_to, attach_file, compose_mail
from digests.render.templating import TEMPLATE_NAMES, OwnTemplate, OwnTemplates
from digests.settings.digests import DigestSettings
from digests.settings.mail import parse_mailbox
from digests.store.editions import recent_editions
from digests.store.marks import load_link_key
from digests.stories.marks import sign_story
from watcher.model import Article
from watcher.store.articles import articles_by_id
from watcher.store.pages import revisions_of
from watcher.store.writer import read
from watcher.text.format import did_you_mean

MAX_TEMPLATE_BYTES = 256 * 1024  # of a template


def render_files(
    engine: Engine, edition: Edition, digest: DigestSettings, formats: Sequence[str], *, suffix: str = ""
) -> tuple[Rendered, ...]:
    """
    Return the edition in `formats`; the Atom feed also has the digest's last editions, and a book has full texts.

    `suffix` follows the date in the names of the files. Errors: DigestError, if one of the reader's templates is wrong.
    """
    earlier: tuple[Edition, ...] = ()
    if "atom" in formats:
        earlier = read(engine, recent_editions, digest.name, before=date.max, limit=MAX_ENTRIES)
    articles = read(engine, load_full_texts, edition) if "epub" in formats else {}
    keep_urls = _load_keep_urls(engine, edition, digest) if "eml" in formats else {}
    return render_all(edition, digest, formats, earlier=earlier, articles=articles, keep_urls=keep_urls, suffix=suffix)


def _load_keep_urls(engine: Engine, edition: Edition, digest: DigestSettings) -> dict[int, str | None]:
    """Return by number the signed links of a mail that keep its stories; empty if the mail names no site."""
    site = digest.mail.site
    if not site or not (key := read(engine, load_link_key)):
        return {}
    paths = {story.number: f"signed/keep/{story.id}/{sign_story(key, story.id)}" for story in edition.stories}
    return {number: page_url(site, path) for number, path in paths.items()}


def load_full_texts(connection: Connection, edition: Edition) -> dict[str, Article]:
    """Return the articles for the full texts of a book, as their pages were at the end of the edition's window."""
    ids = {key for story in edition.stories for key in epub.full_text_candidates(story)}
    revisions = revisions_of(connection, ids).items()
    known = {
        key: tuple(revision for revision in changes if revision.at < edition.window_end) for key, changes in revisions
    }
    articles = apply_revisions(tuple(articles_by_id(connection, ids).values()), known)
    return {article.id: article for article in articles}


def render_all(
    edition: Edition,
    digest: DigestSettings,
    formats: Sequence[str],
    *,
    earlier: Sequence[Edition] = (),
    articles: Mapping[str, Article] = NO_ARTICLES,
    keep_urls: Mapping[int, str | None] | None = None,
    suffix: str = "",
) -> tuple[Rendered, ...]:
    """Return the edition in `formats`, its mail addressed as in the settings; `suffix` follows the date in names."""
    suffix = suffix or edition.suffix
    head, templates = (
        replace(_mail_head(edition, digest, to=digest.mail.to, suffix=suffix), keep_urls=keep_urls or {}),
        load_own_templates(digest.templates),
    )
    rendered = render(
        edition, formats, mail=head, site=digest.url, earlier=earlier, articles=articles, own_templates=templates
    )
    day = edition.local_date.isoformat()
    return tuple(replace(form, name=form.name.replace(day, day + suffix, 1)) for form in rendered)


def _mail_head(edition: Edition, digest: DigestSettings, *, to: tuple[str, ...], suffix: str) -> MailHead:
    """Return the head of an edition's mail to `to`; it links to the edition's page, if there is one."""
    page = page_url(digest.url, f"{edition.local_date.isoformat()}{suffix}.html") if "html" in digest.formats else None
    head = MailHead(to=to, unsubscribe=digest.mail.unsubscribe, base_url=page)
    return head if digest.mail.sender is None else replace(head, sender=digest.mail.sender)


def with_mail_to(digest: DigestSettings, to: tuple[str, ...]) -> DigestSettings:
    """Return a digest whose mail has the recipients `to`; to nobody, it has no links that need no token."""
    changed = {"to": to, "site": digest.mail.site if to else None}
    return digest.model_copy(update={"mail": digest.mail.model_copy(update=changed)})


def build_messages(
    engine: Engine, edition: Edition, digest: DigestSettings, *, suffix: str = ""
) -> tuple[OutboundMessage, ...]:
    """
    Return one message for each recipient of each channel in the settings.

    Empty for an edition without news, unless the settings say `send_empty`.

    Errors: DigestError, if the edition's mail cannot be rendered.
    """
    has_news = edition.stories or any(brief.status != "quiet" for brief in edition.briefs)
    if not has_news and not digest.send_empty:
        return ()
    messages: dict[tuple[str, str], OutboundMessage] = {}
    for way in digest.deliver:
        recipients = way.recipients(digest.mail.to)
        content = EditionContent(engine, edition, digest, recipients=recipients, suffix=suffix)
        for recipient in recipients:
            message = OutboundMessage(channel=way.channel, recipient=recipient, forms=way.forms(content, recipient))
            messages.setdefault((way.channel, recipient), message)
    return tuple(messages.values())


class EditionContent:
    """An edition for the recipients of one channel."""

    def __init__(
        self, engine: Engine, edition: Edition, digest: DigestSettings, *, recipients: Sequence[str], suffix: str
    ) -> None:
        self._engine, self._edition, self._digest, self._suffix = engine, edition, digest, suffix
        self._recipients = recipients
        self._mails: dict[tuple[str, ...], EmailMessage] = {}

    @property
    def mail_to(self) -> tuple[str, ...]:
        return tuple(parse_mailbox(reader)[1] for reader in self._digest.mail.to)

    def files(self, formats: Sequence[str] = ()) -> tuple[Rendered, ...]:
        wanted = formats or self._digest.formats
        return render_files(self._engine, self._edition, self._digest, wanted, suffix=self._suffix)

    def mail(self, recipient: str, attach: Sequence[str] = ()) -> Rendered:
        """Return the mail, which names its own recipient only."""
        wanted = tuple(attach)
        if wanted not in self._mails:
            # To the longest address, so that the mail to each stays within the budget. A channel that writes mails into
            # a folder has an address of its own.
            longest = max(self._recipients, key=len) if recipient in self._recipients else recipient
            self._mails[wanted] = self._compose_mail(wanted, to=longest)
        message = self._mails[wanted]
        address_to(message, recipient)
        name = FORMATS["eml"].format(date=f"{self._edition.local_date}{self._suffix or self._edition.suffix}")
        return Rendered(format="eml", name=name, body=message.as_bytes())

    def payload(self, shape: str) -> Rendered:
        body = webhook.render(edition_view(self._edition), self._edition, shape=shape)
        name = f"{self._edition.local_date.isoformat()}{self._edition.suffix}.json"
        return Rendered(format=shape, name=name, body=body)

    def _compose_mail(self, attach: Sequence[str], *, to: str) -> EmailMessage:
        """Return the edition as a mail, with the files that are to be attached."""
        edition, digest = self._edition, self._digest
        head = _mail_head(edition, digest, to=(to,), suffix=self._suffix or edition.suffix)
        head = replace(head, keep_urls=_load_keep_urls(self._engine, edition, digest))
        message = compose_mail(edition_view(edition), edition, head, load_own_templates(digest.templates))
        for book in render_files(self._engine, edition, digest, attach, suffix=self._suffix):
            attach_file(message, book, epub.MEDIA_TYPE)
        return message


def load_own_templates(folder: Path | None) -> OwnTemplates:
    """Return the reader's own templates in `folder`, ordered by path; none without one. Errors: DigestError."""
    if folder is None:
        return ()
    try:
        paths = sorted(path for path in folder.iterdir() if path.is_file() and not path.name.startswith("."))
        return tuple(_load_own_template(path) for path in paths)
    except (OSError, UnicodeError) as error:
        reason = error.strerror if isinstance(error, OSError) and error.strerror else str(error)
        raise DigestError(f"templates: {folder}: {reason}") from error


def _load_own_template(path: Path) -> OwnTemplate:
    """Return a user's template. Errors: DigestError if no file of the edition has this name, or if it is too large."""
    name = path.name
    if name not in TEMPLATE_NAMES and not name.startswith("_"):
        expected = f'expected one of {", ".join(TEMPLATE_NAMES)}, or your own file with a name that begins with "_"'
        raise DigestError(f"{path}: there is no template of this name; {expected}{did_you_mean(name, TEMPLATE_NAMES)}")
    if path.stat().st_size > MAX_TEMPLATE_BYTES:
        raise DigestError(f"{path}: the file is larger than {MAX_TEMPLATE_BYTES // 1024} KiB")
    return OwnTemplate(name=name, path=str(path), source=path.read_text("utf-8"))
