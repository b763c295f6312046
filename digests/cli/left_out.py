"""`watcher digest --left-out` and `watcher explain ARTICLE`: what is not in an edition, and why."""

from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass
from typing import Any

from sqlalchemy import Engine

from digests.analysis.preferences import active_mute_rules, find_mute_rule
from digests.analysis.select import Cause
from digests.cli.status import name_edition
from digests.compose.edition import LeftOutStory
from digests.edition.left_out import LeftOutItems, load_left_out, shown_articles, shown_places
from digests.model.edition import Edition
from digests.model.ledger import STORY_KINDS, LeftOutKind
from digests.render.ledger import describe_left_out
from digests.settings.digests import DigestSettings, digests_of
from digests.store.editions import find_newest_edition
from digests.store.story_rows import load_members, load_story
from digests.stories.follows import load_followed
from watcher.cli.output import MINUTE
from watcher.model import Article
from watcher.settings.models import Settings
from watcher.store.writer import read
from watcher.text.format import format_count
from watcher.text.plain_text import to_one_line

TITLE_CHARS = 100
WHY_NO_ARTICLE = {
    LeftOutKind.OUT_OF_WINDOW: "it was published outside the time that the edition covers",
    LeftOutKind.LANGUAGE: "it is in a language that `languages` of the digest does not name",
    LeftOutKind.NO_TITLE: "it has no title",
    LeftOutKind.COLLECTION: "it is a live blog or a round-up, on many events",
    LeftOutKind.OPINION: "it is an opinion piece",
    LeftOutKind.SERVICE: "it is a service piece, such as a review, a tip or a listing",
    LeftOutKind.GALLERY: "it is a gallery, and there is no report on its event",
    LeftOutKind.LITTLE_TEXT: "it has too little text",
    LeftOutKind.DUPLICATE_ARTICLE: "its outlet published the same text before",
}
WHY_NO_STORY = {
    LeftOutKind.OTHER_REGION: "its story is about none of the digest's `regions`",
    LeftOutKind.SIBLING: "its story is on the event of another story that is shown",
    LeftOutKind.TOLD_BEFORE: "the last edition told what the headline of its story says",
    LeftOutKind.ENOUGH_SHOWN: "enough stories on its topic or its country are shown",
    LeftOutKind.SINGLE_OUTLET: "one outlet alone reports it, and stories of several outlets come first",
    LeftOutKind.LOWER_RANK: "other stories ranked higher",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Absence:
    """Whether and where an edition shows an article, in words."""

    digest: str
    edition: str  # its title, number and date
    shown: bool
    words: str


def explain_absence(engine: Engine, settings: Settings, article: Article) -> list[Absence]:
    """Return for the newest edition of each digest where it shows an article, or why not. Errors: StoreError."""
    absences = []
    member = read(engine, load_members, [article.id]).get(article.id)
    row = read(engine, load_story, member.story_id) if member else None
    is_followed = row is not None and row.thread in {each.thread for _, _, each in read(engine, load_followed)}
    for digest in digests_of(settings):
        edition = read(engine, find_newest_edition, digest.name)
        if edition is None:
            continue
        if shown := shown_articles(edition).get(article.id):
            followed = ", in a story that you follow" if is_followed else ""
            words = f"shown {shown}{followed}{_describe_rule(settings, digest, edition, article, is_followed)}"
        else:
            place = shown_places(edition).get(row.id) if row else None
            which = f"its story{' that you follow' if is_followed else ''} is shown {place}, without this article"
            words = f"{which if place else 'not shown'}: {_why_not(engine, digest, edition, article)}"
        absences.append(Absence(digest=digest.name, edition=name_edition(edition), shown=bool(shown), words=words))
    return absences


def _describe_rule(
    settings: Settings, digest: DigestSettings, edition: Edition, article: Article, is_followed: bool
) -> str:
    """Return in words which mute rule matches an article that an edition shows, and why it is shown; "" for none."""
    sources = [source.source() for source in settings.sources]
    rules = active_mute_rules(digest.mute, sources, day=edition.local_date)
    if rule := find_mute_rule([rule for rule in rules if rule.is_of_outlets_alone or not is_followed], article):
        return f"; {_describe_mute(rule.label)}, but the edition is older than this rule"
    rule = find_mute_rule(rules, article)
    return f", so it is there although {_describe_mute(rule.label, 'matches it')}" if rule else ""


def _describe_mute(rule: str, does: str = "leaves it out") -> str:
    return f'the mute rule "{rule}" {does}' if rule else "a phrase of `mute` is in its title"


def _why_not(engine: Engine, digest: DigestSettings, edition: Edition, article: Article) -> str:
    """Return in words why an edition does not show an article."""
    if not article.published_at < edition.window_end:
        return f"it was published after the time that the edition covers ({_format_window(edition)})"
    left_out = load_left_out(engine, digest, edition)
    if article.id in left_out.articles:
        return describe_cause(left_out.articles[article.id][1])
    for story in left_out.stories:
        if article.id in story.story.articles:
            return _describe_story(story, left_out, digest)
    if article.fetched_at > edition.made_at:
        return f"it came in at {article.fetched_at:{MINUTE}} UTC, after the edition was made"
    if article.published_at < edition.window_start:
        return f"it was published before the time that the edition covers ({_format_window(edition)})"
    if digest.sources:
        return "it is of none of the digest's `sources`"
    return "it is an opinion piece or a gallery, it was withdrawn, or the settings have changed since"


def _format_window(edition: Edition) -> str:
    return f"{edition.window_start:{MINUTE}} to {edition.window_end:{MINUTE}} UTC"


def describe_cause(cause: Cause) -> str:
    """Return in words why an article takes no part in a digest."""
    kind, rule = cause
    if kind is LeftOutKind.MUTED:
        return _describe_mute(rule)
    return WHY_NO_ARTICLE[kind]


def _describe_story(story: LeftOutStory, left_out: LeftOutItems, digest: DigestSettings) -> str:
    """Return in words why an edition does not show a story."""
    if story.kind is LeftOutKind.OTHER_TOPIC:
        only = ["has none of the words of the digest's `only`"] if digest.only else []
        topics = ["is on none of the digest's `topics`"] if digest.topics else []
        return f"its story {' or '.join([*only, *topics])}"
    why = WHY_NO_STORY[story.kind]
    if story.place is None:
        return why
    places = f"{format_count(digest.stories, 'place')} in full and {digest.briefs} in one line"
    return f"its story is number {story.place} of {left_out.wanted} by its score, for {places}; {why}"


def format_absences(article: Article, story: str | None, absences: Sequence[Absence]) -> Iterator[str]:
    """Yield the lines on an article: what it is, its story, and where each edition shows it or why it does not."""
    yield f"{article.outlet}, {article.published_at:{MINUTE}}, {article.language}: {article.title}"
    yield f"  {article.id}  {article.url}"
    yield f"  {f'in story {story}' if story else 'in no story: no edition has covered it'}"
    for absence in absences:
        yield f"{absence.edition}: {absence.words}"
    if not absences:
        yield "No edition is stored yet; watcher digest makes one."


def format_left_out(left_out: LeftOutItems) -> Iterator[str]:
    """Yield what an edition leaves out by its causes, in the order of the ledger."""
    yield f"{name_edition(left_out.edition)} leaves out:"
    stories: defaultdict[LeftOutKind, list[str]] = defaultdict(list)
    for story in left_out.stories:
        place = f"{story.place:>4}. " if story.place else ""
        outlets = format_count(story.outlets, "outlet")
        stories[story.kind].append(f"{place}{to_one_line(story.title, TITLE_CHARS)} ({outlets})  {story.story.id}")
    articles: defaultdict[Cause, list[str]] = defaultdict(list)
    for article, cause in left_out.articles.values():
        articles[cause].append(f"{article.outlet}: {to_one_line(article.title, TITLE_CHARS)}  {article.id}")
    for kind, lines in stories.items():
        yield f"{describe_left_out(kind)} ({len(lines)})"
        yield from (f"  {line}" for line in lines)
    for (kind, rule), lines in articles.items():
        yield f"{describe_left_out(kind)}{f': {rule}' if rule else ''} ({len(lines)})"
        yield from (f"  {line}" for line in lines)
    listed = STORY_KINDS | {kind for kind, _ in articles}
    for row in left_out.edition.ledger.left_out:
        if row.kind not in listed:
            yield f"{describe_left_out(row.kind, row.reason)} ({row.count})"
    yield "watcher explain ARTICLE explains one; watcher story STORY --why shows what gave a story its place"


def left_out_to_json(left_out: LeftOutItems) -> dict[str, Any]:
    """Return what an edition leaves out, as the JSON of `watcher digest --left-out`."""
    edition = left_out.edition
    return {
        "digest": edition.digest,
        "date": edition.local_date,
        "number": edition.number,
        "stories_wanted": left_out.wanted,
        "stories": [
            {"id": story.story.id, **{k: v for k, v in asdict(story).items() if k != "story"}}
            for story in left_out.stories
        ],
        "articles": [
            {"id": a.id, "url": a.url, "outlet": a.outlet, "title": a.title, "kind": kind, "rule": rule}
            for a, (kind, rule) in left_out.articles.values()
        ],
        "counts": edition.ledger.left_out,
    }
