"""Renders an edition as a mail: subject line and headers, text, and HTML with inline styles, within a size limit."""

from __future__ import annotations

import hashlib
import re
from bisect import bisect_left
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from email.contentmanager import raw_data_manager
from email.header import Header
from email.message import EmailMessage
from email.policy import Compat32
from email.utils import format_datetime
from functools import partial

import css_inline

from digests.errors import DigestError
from digests.model.delivery import Rendered
from digests.model.edition import Edition
from digests.render import text
from digests.render.escape import sanitize_line, web_url
from digests.render.markdown import document
from digests.render.templating import OwnTemplates, html_templates, render_template
from digests.render.view import EditionView, StoryView
from digests.settings.mail import parse_mailbox

BUDGET = 90 * 1024  # bytes as sent; Gmail clips a message at about 102 kB
UNDISCLOSED = "undisclosed-recipients:;"  # of a mail without a recipient
# The target size of a mail: bytes per story, and at least. Its HTML always keeps it, the whole mail if possible.
STORY_BYTES, MIN_MAIL_BYTES = 3_750, 60_000
TEXT_SOURCES = 2  # in the text part, which few programs show
# Markup that is not needed once styles are inlined: each byte of a mail counts.
UNUSED_MARKUP = re.compile(
    r' class="(?:lead|empty|note|glance)"|(?<=<bdi) lang="[a-z]+"|<span class="number">([^<]*)</span>'
)
INLINER = css_inline.CSSInliner(load_remote_stylesheets=False, minify_css=True)
FEWER_SOURCES = 1  # named for a story, if the mail is long
PERSPECTIVE_STEPS = (12, 10, 8, 6, 5, 4, 3, 2, 0)  # stories that keep their perspectives, if not all can
KEEP_WHOLE = 5  # first stories, which keep their texts longest
MAX_HEADER_LINE = 78  # characters, where it can be broken (RFC 5322 §2.1.1)
ENCODED_LINE = 76  # characters of a header line with an encoded word (RFC 2047 §2)
END_OF_HEADER = re.compile(r"\r\n(?! )|(?<!\r)\n|\r(?!\n)")


@dataclass(frozen=True, slots=True, kw_only=True)
class MailHead:
    sender: str = "digest@localhost"  # maybe with a name, by default the digest's title
    to: tuple[str, ...] = ()  # addresses; empty for a file without recipients
    unsubscribe: str | None = None  # an https or mailto URL; None for a mail to the sender
    base_url: str | None = None  # of the edition's page; None if it is not on the web
    keep_urls: Mapping[int, str | None] = field(default_factory=dict)  # by number of a story, of the page that keeps it
    budget: int = BUDGET  # maximum size of the message as sent, in bytes


def render(view: EditionView, edition: Edition, mail: MailHead, own: OwnTemplates = ()) -> bytes:
    """Return the message as sent, in ASCII with CRLF, always the same bytes. Errors: as `compose_mail`."""
    return compose_mail(view, edition, mail, own).as_bytes()


def compose_mail(view: EditionView, edition: Edition, mail: MailHead, own: OwnTemplates = ()) -> EmailMessage:
    """
    Return the message. Errors: DigestError, for a wrong mail address.

    If it is too long, it is shortened step by step, and says what was left out.
    """
    room = min(max(MIN_MAIL_BYTES, STORY_BYTES * len(view.stories)), mail.budget)
    # Anchors are short, and the sentences that a page can unfold are left out.
    view = _change_stories(
        view,
        lambda story: replace(story, anchor=f"n{story.number}", grounds=(), keep_url=mail.keep_urls.get(story.number)),
    )
    steps = list(_shorten_steps(view))

    def build(step: ShortenStep) -> tuple[EmailMessage, bool]:
        message, html_bytes = _message(step, edition, mail, own)
        most = mail.budget if step.at_all_costs else room
        return message, html_bytes <= room and len(message.as_bytes()) <= most

    whole, fits = build(steps[0])
    if fits:  # as most do
        return whole
    # Each step is shorter than the one before, so a binary search needs to try few of them.
    first = bisect_left(steps, True, lo=1, hi=len(steps) - 1, key=lambda step: build(step)[1])
    return build(steps[first])[0]


def subject_line(view: EditionView) -> str:
    """Return the lead's headline, else the heading: the sender's name already says which digest it is."""
    return view.stories[0].title if view.stories else view.heading


def address_to(message: EmailMessage, recipient: str) -> None:
    """Replace the recipients of a message."""
    message.replace_header("To", _address(recipient)[1])


def attach_file(message: EmailMessage, file: Rendered, media_type: str) -> None:
    """Attach a file, which does not count for the size limit; the same file always gives the same bytes."""
    boundary = f"=_{hashlib.sha256(message.get_boundary('').encode() + file.body).hexdigest()[:32]}"
    language = message["Content-Language"]
    message.make_mixed(boundary=boundary)
    message["Content-Language"] = language
    maintype, _, subtype = media_type.partition("/")
    message.add_attachment(file.body, maintype, subtype, filename=file.name)


def _message(step: ShortenStep, edition: Edition, mail: MailHead, own: OwnTemplates) -> tuple[EmailMessage, int]:
    """Return the message, and the size of its decoded HTML in bytes."""
    view = step.view
    name, address = _address(mail.sender)
    name = name or view.title
    label = _label(view.digest)
    domain = address.rsplit("@", 1)[1]
    message_id = f"<{view.day.isoformat()}.{edition.made_at:%H%M%S%f}.{label}@{domain}>"
    unsubscribe = mail.unsubscribe or f"mailto:{address}?subject=unsubscribe%20{label}"
    base_url = web_url(mail.base_url) if mail.base_url else None
    message = EmailMessage(policy=MAIL_POLICY)
    message["From"] = encode_mailbox("From", name, address) if name else address
    message["To"] = ",\r\n ".join(_address(reader)[1] for reader in mail.to) or UNDISCLOSED
    message["Subject"] = encode_header_text("Subject", subject_line(view))
    message["Date"] = format_datetime(edition.made_at)
    message["Message-ID"] = message_id
    message["List-Id"] = encode_mailbox("List-Id", view.title, f"{label}.{domain}")
    message["List-Unsubscribe"] = f"<{unsubscribe}>"
    message["List-Post"] = "NO"  # the list takes no mail (RFC 2369 §3.4)
    message["Auto-Submitted"] = "auto-generated"
    short = _drop_extras(view) if step.terse else view
    short = _change_stories(short, partial(_limit_story, sources=TEXT_SOURCES))
    plain = text.render(short, own, base_url=base_url, unsubscribe=unsubscribe)
    values = {
        "v": view,
        "w": view.words,
        "doc": document(view, own, form="mail"),
        "base_url": base_url,
        "unsubscribe": unsubscribe,
    }
    page = render_template(html_templates(own), "mail.html.j2", own, values)
    rich = UNUSED_MARKUP.sub(r"\1", INLINER.inline(page))  # styles of the dark mode are not inlined
    message.set_content(plain, subtype="plain", charset="utf-8", cte=_transfer_encoding(plain))
    message.add_alternative(rich, subtype="html", charset="utf-8", cte=_transfer_encoding(rich))
    message["Content-Language"] = view.language  # set after the parts, or they would take it
    # No quoted-printable text contains "=_", so a boundary with it ends no part early.
    boundary = "=_" + hashlib.sha256(f"{message_id}\n{plain}\n{rich}".encode()).hexdigest()[:32]
    message.replace_header("Content-Type", f'multipart/alternative;\r\n boundary="{boundary}"')
    return message, len(rich.encode())


def _transfer_encoding(text: str) -> str:
    """Return the shorter transfer encoding: base64 for mostly non-ASCII text, else quoted-printable."""
    data = text.encode()
    escaped = sum(byte > 126 or byte == 61 or (byte < 32 and byte not in (10, 13)) for byte in data)
    return "quoted-printable" if (len(data) + 2 * escaped) * 76 / 73 <= len(data) * 4 / 3 * 78 / 76 else "base64"


def _address(value: str) -> tuple[str, str]:
    """Return (name, address) of "Name <a@b>"; an internationalized domain is converted to ASCII."""
    try:
        name, address = parse_mailbox(sanitize_line(value))
    except ValueError as error:
        raise DigestError(f"{sanitize_line(value)!r} is not a mail address: {error}") from error
    return sanitize_line(name), address


def _label(digest: str) -> str:
    """Return the digest's name as a domain label; a hash if it is not ASCII."""
    plain = re.sub(r"[^a-z0-9]+", "-", digest.lower()).strip("-")
    return plain if digest.isascii() and plain else hashlib.sha256(digest.encode("utf-8", "replace")).hexdigest()[:12]


class MailPolicy(Compat32):
    """
    Writes headers as assigned, already folded.

    `EmailPolicy` parses assigned values: it would decode a title that contains `=?utf-8?q?…?=`, and turn a long
    List-Unsubscribe into encoded words that no mail program follows.
    """

    content_manager = raw_data_manager

    def fold_binary(self, name: str, value: str) -> bytes:
        if END_OF_HEADER.search(value):
            raise ValueError(f"{name}: has a line break")
        return f"{name}: {value}\r\n".encode("ascii")


MAIL_POLICY = MailPolicy(linesep="\r\n", max_line_length=78)


def encode_header_text(header: str, value: str) -> str:
    """Return one line of text for a header, folded: plain if it is ASCII with short words, else as encoded words."""
    room = ENCODED_LINE - len(f"{header}: ")
    is_plain = value.isascii() and "=?" not in value and all(len(word) < room for word in value.split(" "))
    encoded = Header(value, "us-ascii" if is_plain else "utf-8", maxlinelen=ENCODED_LINE, header_name=header)
    return encoded.encode(splitchars=" ", linesep="\r\n")


def encode_mailbox(header: str, name: str, address: str) -> str:
    """Return "name <address>" for a header, folded: with a quoted name if it is simple, else as encoded words."""
    if name.isascii() and "=?" not in name and not set(name) & set('"\\<>,') and len(name) <= 60:  # RFC 5322 §3.2.5
        value = f'"{name}" <{address}>'
        return value if len(f"{header}: {value}") <= MAX_HEADER_LINE else f'"{name}"\r\n <{address}>'
    words = Header(name, "utf-8", maxlinelen=ENCODED_LINE, header_name=header).encode(linesep="\r\n")
    return f"{words}\r\n <{address}>"


@dataclass(frozen=True, slots=True, kw_only=True)
class ShortenStep:
    view: EditionView
    terse: bool = False  # the plain text part leaves out perspectives and related stories
    at_all_costs: bool = False  # the mail may be as large as its budget; otherwise it must keep the target size


def _shorten_steps(view: EditionView) -> Iterator[ShortenStep]:
    """
    Yield `view`, then shorter and shorter versions; `left_out` names what was cut.

    First the plain text part loses the perspectives of the outlets and the related stories, then each story some names
    of sources. Then both parts lose the perspectives, from the last story on, then the related stories, then what the
    size limit demands.
    """
    words = view.words
    yield ShortenStep(view=view)
    last_voiced = max((story.number for story in view.stories if story.differs), default=0)
    has_extras = last_voiced > 0 or any(story.related for story in view.stories)
    if has_extras:
        yield ShortenStep(view=view, terse=True)
    whole = _change_stories(view, partial(_limit_story, sources=FEWER_SOURCES))
    view = whole
    yield ShortenStep(view=view, terse=has_extras)
    for last_kept in (number for number in PERSPECTIVE_STEPS if number < last_voiced):
        notice = words.say("cut_later_voices", n=last_kept) if last_kept else words["cut_voices"]
        view = _change_stories(whole, partial(_without_perspectives_after, last_kept), notice)
        yield ShortenStep(view=view, terse=has_extras)
    if any(story.related for story in view.stories):
        view = _change_stories(view, lambda story: replace(story, related=()), words["cut_related"])
        yield ShortenStep(view=view, terse=has_extras)
    yield from (ShortenStep(view=shorter, at_all_costs=True) for shorter in _shorten_to_size_limit(view))


def _shorten_to_size_limit(view: EditionView) -> Iterator[EditionView]:
    """Yield the view, then shorter and shorter ones, each of which says what it leaves out."""
    words = view.words
    yield view
    view = _change_stories(view, partial(_limit_story, sources=0), words["cut_sources"])
    yield view
    if view.followed or view.quiet or view.gone:
        sections = tuple(section for section in view.sections if section.stories)
        view = replace(view, sections=sections, followed=(), quiet=(), gone=())
        view = _change_stories(view, lambda story: story, words["cut_quiet"])
        yield view
    view = replace(view, coming_up=(), briefs=(), foreign=(), left_out=(*view.left_out, words["cut_briefs"]))
    yield view
    last = max((story.number for story in view.stories), default=0)
    for whole in [*range(max(KEEP_WHOLE, last - 5), KEEP_WHOLE, -5), KEEP_WHOLE, 1, 0]:
        yield _change_stories(view, partial(_headline_only_after, whole), words["cut_texts"])


def _change_stories(view: EditionView, change: Callable[[StoryView], StoryView], *left_out: str) -> EditionView:
    """Return the edition with each story changed, and the phrases `left_out` added to it."""
    sections = tuple(replace(section, stories=tuple(map(change, section.stories))) for section in view.sections)
    return replace(view, sections=sections, left_out=(*view.left_out, *left_out))


def _limit_story(story: StoryView, *, sources: int) -> StoryView:
    """Return the story with at most `sources` sources besides those that it names anyway."""
    return replace(story, sources=story.short_list[:sources])


def _drop_extras(view: EditionView) -> EditionView:
    """Return the edition without perspectives and related stories, which `left_out` then names."""
    words = view.words
    notes = {words["cut_voices"], *(words.say("cut_later_voices", n=most) for most in PERSPECTIVE_STEPS)}
    has_voices = any(story.differs for story in view.stories) or not notes.isdisjoint(view.left_out)
    has_related = any(story.related for story in view.stories) or words["cut_related"] in view.left_out
    cut = ((words["cut_voices"],) if has_voices else ()) + ((words["cut_related"],) if has_related else ())
    rest = tuple(part for part in view.left_out if part not in {*notes, *cut})
    view = _change_stories(view, lambda story: replace(_without_perspectives_after(0, story), related=()))
    return replace(view, left_out=(*cut, *rest))


def _without_perspectives_after(number: int, story: StoryView) -> StoryView:
    return story if story.number <= number else replace(story, differences=(), perspectives=(), silent=())


def _headline_only_after(number: int, story: StoryView) -> StoryView:
    """Return a story; if it comes after the story with this number, only its headline."""
    if story.number <= number:
        return story
    bare = replace(
        story,
        summary=(),
        written="",
        changed_figures=(),
        figures=(),
        turns=(),
        since=(),
        latest=None,
        notices=(),
        sources=(),
        outlets=0,
        reporters=(),
    )
    return replace(bare, differences=(), perspectives=(), silent=(), related=(), comments=())
