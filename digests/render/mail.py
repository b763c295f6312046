"""An edition as a mail: text and HTML with inlined styles, a size budget, and headers that arrive as written."""

from __future__ import annotations

import base64
import hashlib
import re
import string
from bisect import bisect_left
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from email.message import EmailMessage
from email.policy import EmailPolicy
from email.utils import format_datetime
from functools import lru_cache, partial
from typing import Any

import css_inline

from digests.errors import DigestError
from digests.model import Edition
from digests.render import html, text
from digests.render.edition_view import MAX_HEADLINES, MAX_SOURCES
from digests.render.escape import sanitize_line, web_url
from digests.render.markdown import document
from digests.render.templating import Own, render_template
from digests.render.view import EditionView, SectionView, StoryView
from digests.settings.delivery import parse_mailbox

BUDGET = 90 * 1024  # bytes as sent; Gmail cuts a message at about 102 kB
UNDISCLOSED = "undisclosed-recipients:;"  # of a mail without a recipient yet
# The target for a mail: bytes a story, and at least. Its HTML keeps it always, the mail as sent while parts can go.
STORY_BYTES, MIN_MAIL_BYTES = 4_000, 60_000
TEXT_HEADLINES, TEXT_SOURCES = 1, 2  # in the text part, which few programs show
# Markup whose styles are inlined and that has no dark mode of its own: each byte of a mail counts.
UNUSED_MARKUP = re.compile(r' class="(?:lead|empty|note)"|(?<=<bdi) lang="[a-z]+"|<span class="number">([^<]*)</span>')
TO_LINE = re.compile(rb"^To: [^\r\n]*\r\n(?:[ \t][^\r\n]*\r\n)*", re.MULTILINE)


@dataclass(frozen=True, slots=True, kw_only=True)
class MailHead:
    """
    What a mail says beyond its edition.

    Attributes:
        sender: "digest@example.org", or with a name; without one the digest's title stands for it.
        to: Addresses; empty for a file that gets its readers later.
        unsubscribe: An https or mailto address; None for a mail to the sender.
        base_url: Where the edition can be read as a page, if anywhere.
        budget: Bytes of the message as sent.
    """

    sender: str = "digest@localhost"
    to: tuple[str, ...] = ()
    unsubscribe: str | None = None
    base_url: str | None = None
    budget: int = BUDGET


def render(view: EditionView, edition: Edition, mail: MailHead, own: Own = ()) -> bytes:
    """
    Return the message, in ASCII with CRLF; the same edition gives the same bytes.

    Too long a one is shortened step by step, and says what was left out.

    Raises:
        DigestError: If the sender or a reader is no address that mail in ASCII can have.
    """
    room = min(max(MIN_MAIL_BYTES, STORY_BYTES * len(view.stories)), mail.budget)
    tried = list(shorten_steps(map_stories(view, _for_mail_part, [])))

    def fits(step: ShortenStep) -> bool:
        message, html_bytes = _message(step, edition, mail, own)
        return html_bytes <= room and len(message.as_bytes()) <= (mail.budget if step.at_all_costs else room)

    # Each step is shorter than the one before, so a binary search tries few.
    first = bisect_left(tried, True, hi=len(tried) - 1, key=fits)
    return _message(tried[first], edition, mail, own)[0].as_bytes()


def _for_mail_part(story: StoryView) -> StoryView:
    """Return a story with a short anchor and without what only a page can unfold."""
    return replace(story, anchor=f"n{story.number}", grounds=())


def with_recipient(message: bytes, recipient: str) -> bytes:
    """Return a message made by `render` with another recipient; nothing else changes."""
    head, blank, body = message.partition(b"\r\n\r\n")
    line = f"To: {_address(recipient)[1]}\r\n".encode()
    head = TO_LINE.sub(lambda match: line, head + b"\r\n", count=1)
    return head.removesuffix(b"\r\n") + blank + body


def inlined_html(
    view: EditionView, own: Own = (), *, base_url: str | None = None, unsubscribe: str | None = None
) -> str:
    """Return the HTML part: styles inlined, except those of the dark mode."""
    values = {"v": view, "w": view.words, "doc": document(view, own), "base_url": base_url, "unsubscribe": unsubscribe}
    page = render_template(html.templates(own), "mail.html.j2", own, values)
    return UNUSED_MARKUP.sub(r"\1", _inliner().inline(page))


def _message(step: ShortenStep, edition: Edition, mail: MailHead, own: Own) -> tuple[EmailMessage, int]:
    """Return the message, and the size of its HTML when decoded, in bytes."""
    view = step.view
    name, address = _address(mail.sender)
    name = name or view.title
    label = _label(view.digest)
    domain = address.rsplit("@", 1)[1]
    unsubscribe = mail.unsubscribe or f"mailto:{address}?subject=unsubscribe%20{label}"
    base_url = web_url(mail.base_url) if mail.base_url else None
    message = EmailMessage(policy=MAIL)
    message["From"] = f"{encode_display_name(name)} <{address}>" if name else address
    message["To"] = ", ".join(_address(reader)[1] for reader in mail.to) or UNDISCLOSED
    message["Subject"] = view.subject
    message["Date"] = format_datetime(edition.made_at)
    message["Message-ID"] = f"<{view.day.isoformat()}.{edition.made_at:%H%M%S%f}.{label}@{domain}>"
    message["List-Id"] = f"{encode_display_name(view.title)} <{label}.{domain}>"
    message["List-Unsubscribe"] = f"<{unsubscribe}>"
    message["List-Post"] = "NO"  # nobody writes to this list (RFC 2369 §3.4)
    message["Auto-Submitted"] = "auto-generated"
    short = drop_extras(view) if step.terse else view
    short = map_stories(
        short, partial(limit_story, headlines=TEXT_HEADLINES, sources=TEXT_SOURCES), list(short.left_out)
    )
    plain = text.render(short, own, base_url=base_url, unsubscribe=unsubscribe)
    rich = inlined_html(view, own, base_url=base_url, unsubscribe=unsubscribe)
    message.set_content(plain, subtype="plain", charset="utf-8", cte=_transfer_encoding(plain))
    message.add_alternative(rich, subtype="html", charset="utf-8", cte=_transfer_encoding(rich))
    message["Content-Language"] = view.language  # after the parts, which would take it over
    # No quoted-printable text contains "=_", so a boundary with it ends no part early.
    message.set_boundary("=_" + hashlib.sha256(f"{message['Message-ID']}\n{plain}\n{rich}".encode()).hexdigest()[:32])
    return message, len(rich.encode())


def _transfer_encoding(text: str) -> str:
    """Return the shorter transfer encoding: quoted-printable, unless most of a text is not ASCII."""
    data = text.encode()
    escaped = sum(byte > 126 or byte == 61 or (byte < 32 and byte not in (10, 13)) for byte in data)
    return "quoted-printable" if (len(data) + 2 * escaped) * 76 / 73 <= len(data) * 4 / 3 * 78 / 76 else "base64"


def _address(value: str) -> tuple[str, str]:
    """Return the name and the address of "Name <a@b>"; an internationalized domain becomes ASCII."""
    try:
        name, address = parse_mailbox(sanitize_line(value))
    except ValueError as error:
        raise DigestError(f"{sanitize_line(value)!r} is no mail address: {error}") from error
    return sanitize_line(name), address


def _label(digest: str) -> str:
    """Return the digest's name as a domain label; the hash of a name that is not ASCII."""
    plain = re.sub(r"[^a-z0-9]+", "-", digest.lower()).strip("-")
    return plain if digest.isascii() and plain else hashlib.sha256(digest.encode("utf-8", "replace")).hexdigest()[:12]


@lru_cache(maxsize=1)
def _inliner() -> css_inline.CSSInliner:
    return css_inline.CSSInliner(load_remote_stylesheets=False, minify_css=True)


LINE = 76  # characters of a header line that holds an encoded word (RFC 2047 §2)
MOST = 78  # characters of any header line, where it can be broken (RFC 5322 §2.1.1)
WORD = 75  # characters of an encoded word
Q_SAFE = frozenset(string.ascii_letters + string.digits + "!*+-/")  # as they are, in a phrase too (RFC 2047 §5)
RAW = frozenset(
    {
        *("message-id", "date", "references", "in-reply-to", "auto-submitted", "content-language"),
        *("list-id", "list-unsubscribe", "list-unsubscribe-post", "list-archive"),
        *("from", "sender", "reply-to", "to"),
    }
)


class MailPolicy(EmailPolicy):
    """
    Writes headers by itself: those in `RAW` as they are, broken between addresses only, a subject in words of its own.

    `EmailPolicy` parses what is assigned: a title that holds `=?utf-8?q?…?=` would be decoded, and a long
    List-Unsubscribe would be turned into encoded words that no program follows.
    """

    def header_store_parse(self, name: str, value: Any) -> tuple[str, Any]:  # noqa: ANN401
        if name.lower() == "subject" or name.lower() in RAW:
            if any(character in str(value) for character in "\r\n"):
                raise ValueError(f"{name}: a line break")
            return name, str(value)
        return super().header_store_parse(name, value)

    def fold(self, name: str, value: Any) -> str:  # noqa: ANN401
        if name.lower() == "subject":
            return f"{name}: {encode_header_text(str(value), used=len(name) + 2)}\r\n"
        if name.lower() in RAW:
            return fold_address_list(f"{name}: {value}") + "\r\n"
        return str(super().fold(name, value))

    def fold_binary(self, name: str, value: Any) -> bytes:  # noqa: ANN401
        return self.fold(name, value).encode("ascii")


MAIL = MailPolicy(linesep="\r\n", max_line_length=78, utf8=False, cte_type="7bit")


def encode_header_text(text: str, *, used: int = 0) -> str:
    """
    Return one line of text as the value of a header, folded: plain if it is short words of ASCII, else encoded words.

    Args:
        used: Characters of the first line that are taken, by the header's name.
    """
    if text.isascii() and "=?" not in text and all(len(word) < LINE - used for word in text.split(" ")):
        return _fold_words(text.split(" "), used)
    return "\r\n ".join(_encoded_words(text, used))


def encode_display_name(text: str) -> str:
    """Return the name before an address: quoted if it is plain, else encoded words (RFC 5322 §3.2.5, RFC 2047 §5)."""
    if text.isascii() and "=?" not in text and not set(text) & set('"\\<>,') and len(text) <= 60:
        return f'"{text}"'
    return " ".join(_encoded_words(text, len("List-Id: ")))


def fold_address_list(header: str) -> str:
    """
    Return a header of addresses, folded so that each address, id and encoded word stays whole.

    Behind a comma and between ids and words it is always broken, before an address where its name makes the line long.
    """
    lines = re.sub(r"(,|>|\?=) (?=[<\"]|=\?|[^\s,]+@)", "\\1\r\n ", header).split("\r\n")
    return "\r\n".join(re.sub(r'" <(?=[^<"]*$)', '"\r\n <', line) if len(line) > MOST else line for line in lines)


def _fold_words(words: list[str], used: int) -> str:
    lines, line = [], words[0]
    for word in words[1:]:
        if used + len(line) + 1 + len(word) > LINE:
            lines.append(line)
            line, used = word, 1
        else:
            line = f"{line} {word}"
    return "\r\n ".join([*lines, line])


def _encoded_words(text: str, used: int) -> list[str]:
    """Return encoded words of at most 75 characters, split between characters; blanks between them do not count."""
    encode = min((_q_encode, _b_encode), key=lambda coding: len(coding(text)))
    words: list[str] = []
    start = 0
    while start < len(text):
        room = min(WORD, LINE - used) if not words else WORD
        end = start + 1
        while end < len(text) and len(encode(text[start : end + 1])) <= room:
            end += 1
        words.append(encode(text[start:end]))
        start = end
    return words


def _q_encode(text: str) -> str:
    body = "".join(
        chr(byte) if chr(byte) in Q_SAFE else "_" if byte == 0x20 else f"={byte:02X}" for byte in text.encode()
    )
    return f"=?utf-8?q?{body}?="


def _b_encode(text: str) -> str:
    return f"=?utf-8?b?{base64.b64encode(text.encode()).decode('ascii')}?="


HEADLINES, SOURCES = 2, 3  # of a story, by name; the page has more
FEWER_HEADLINES, FEWER_SOURCES = 1, 2
PERSPECTIVE_STEPS = (
    12,
    10,
    8,
    6,
    5,
    4,
    3,
    2,
    0,
)  # stories with perspectives, where there is no room for all
KEEP_WHOLE = 5  # stories whose texts go last


@dataclass(frozen=True, slots=True, kw_only=True)
class ShortenStep:
    """
    An edition as a mail may show it.

    Args:
        terse: The part in plain text, which few programs show, leaves out how coverage differs and headlines in other
            languages.
        at_all_costs: The mail may be as large as its budget; else it is only to be that much if there is room.
    """

    view: EditionView
    terse: bool = False
    at_all_costs: bool = False


def shorten_steps(view: EditionView) -> Iterator[ShortenStep]:
    """
    Yield `view` and ever shorter ones.

    What is cut is named in `left_out`; outlets that are no longer named are counted, as everywhere.
    """
    cut: list[str] = []
    whole = map_stories(view, partial(limit_story, headlines=HEADLINES, sources=SOURCES), cut)
    yield ShortenStep(view=whole)
    is_voiced = any(story.perspectives or story.silent for story in view.stories)
    if is_voiced:
        yield ShortenStep(view=whole, terse=True)
    shorter = map_stories(whole, _with_fewer_names, cut)
    yield ShortenStep(view=shorter, terse=is_voiced)
    for shorter in _shorten_perspectives(whole, cut):
        yield ShortenStep(view=shorter, terse=is_voiced)
    yield ShortenStep(view=shorter, at_all_costs=True)
    for bare in _shorten_to_size_limit(shorter, cut):
        yield ShortenStep(view=bare, at_all_costs=True)


def _shorten_perspectives(view: EditionView, cut: list[str]) -> Iterator[EditionView]:
    """Yield the edition with perspectives in ever fewer stories, from the end, then without related stories."""
    words = view.words
    last = max((story.number for story in view.stories if story.perspectives or story.silent), default=0)
    whole = list(cut)
    for most in (most for most in PERSPECTIVE_STEPS if most < last):
        cut[:] = [*whole, words.say("cut_later_voices", n=most) if most else words["cut_voices"]]
        view = map_stories(view, partial(_without_perspectives_after, most), cut)
        yield map_stories(view, _with_fewer_names, cut)
    view = map_stories(view, _with_fewer_names, cut)
    if any(story.related for story in view.stories):
        cut.append(words["cut_related"])
        view = map_stories(view, lambda story: replace(story, related=()), cut)
        yield view


def _shorten_to_size_limit(view: EditionView, cut: list[str]) -> Iterator[EditionView]:
    words = view.words
    cut.append(words["cut_headlines"])
    view = map_stories(view, partial(limit_story, headlines=0), cut)
    yield view
    cut.append(words["cut_sources"])
    view = map_stories(view, partial(limit_story, sources=0), cut)
    yield view
    if view.quiet or view.gone:
        cut.append(words["cut_quiet"])
        view = replace(view, quiet=(), gone=(), left_out=tuple(cut))
        yield view
    cut.append(words["cut_briefs"])
    view = replace(view, briefs=(), left_out=tuple(cut))
    yield view
    cut.append(words["cut_texts"])
    last = max((story.number for story in view.stories), default=0)
    for whole in [*range(max(KEEP_WHOLE, last - 5), KEEP_WHOLE, -5), KEEP_WHOLE, 1, 0]:
        yield map_stories(view, partial(_headline_only_after, whole), cut)


def map_stories(view: EditionView, change: Callable[[StoryView], StoryView], left_out: list[str]) -> EditionView:
    """Return the edition with each story changed."""
    sections = tuple(
        SectionView(title=section.title, stories=tuple(change(story) for story in section.stories))
        for section in view.sections
    )
    return replace(view, sections=sections, left_out=tuple(left_out))


def limit_story(story: StoryView, *, headlines: int = MAX_HEADLINES, sources: int = MAX_SOURCES) -> StoryView:
    """Return the story with at most so many sources and headlines, besides those of perspectives."""
    shown = story.other_headlines
    kept = tuple(line for line in story.headlines if line not in shown or line in shown[:headlines])
    return replace(story, headlines=kept, sources=story.sources[:sources])


def _with_fewer_names(story: StoryView) -> StoryView:
    """Return the story with fewer names; one with perspectives has headlines in other languages there."""
    return limit_story(story, headlines=0 if story.perspectives else FEWER_HEADLINES, sources=FEWER_SOURCES)


def drop_extras(view: EditionView) -> EditionView:
    """Return the edition without perspectives and headlines in other languages, and with that in `left_out`."""
    words = view.words
    cut = [words["cut_voices"], words["cut_headlines"]]
    said = {*cut, *(words.say("cut_later_voices", n=most) for most in PERSPECTIVE_STEPS)}
    rest = [part for part in view.left_out if part not in said]
    return map_stories(
        view, lambda story: limit_story(_without_perspectives_after(0, story), headlines=0), [*cut, *rest]
    )


def _without_perspectives_after(number: int, story: StoryView) -> StoryView:
    return story if story.number <= number else replace(story, perspectives=(), silent=())


def _headline_only_after(number: int, story: StoryView) -> StoryView:
    """Return a story after number `number` with its headline, place, time and coverage alone."""
    if story.number <= number:
        return story
    bare = replace(story, summary=(), written="", since=(), sources=(), headlines=(), outlets=0)
    return replace(bare, perspectives=(), silent=(), related=())
