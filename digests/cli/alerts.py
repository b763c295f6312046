"""`watcher alerts`: what each alert rule looked at, and why it sent a message or none."""

from collections.abc import Iterator, Mapping, Sequence
from datetime import UTC, datetime
from typing import Annotated, TypeAlias

from typer import Argument

from digests.alerts.story_rules import LEFT_OUT, NO_WORD, AlertOutcome, AlertReview, Candidate, review_alerts, story_key
from digests.analysis.preferences import matching_phrases
from digests.cli.left_out import TITLE_CHARS, describe_cause
from digests.cli.lookup import find_digest
from digests.compose.story import find_headline
from digests.errors import DigestError
from digests.model.story import Story
from digests.settings.alerts import CORRECTIONS, FOLLOWED, StoryAlertSettings
from digests.settings.digests import DigestSettings, digests_of
from digests.store.editions import open_digests
from digests.store.story_rows import StoryRow
from digests.stories.follows import load_followed
from watcher.cli.options import Config, Json, closing_store, load_settings
from watcher.cli.output import format_minute, print_result
from watcher.store.writer import read
from watcher.text.format import format_count
from watcher.text.plain_text import to_one_line

MAX_UNMET = 5  # stories of a rule that are listed although they do not meet it, the largest first
NOTHING = {  # that a rule looks at, by its condition
    CORRECTIONS: "no outlet has corrected a report that an edition cites",
    FOLLOWED: "you follow no story; watcher follow STORY follows one",
}

Row: TypeAlias = dict[str, str | None]


def show_alerts(
    name: Annotated[str | None, Argument(help="Name of the digest; by default, all that have alert rules.")] = None,
    config: Config = None,
    json: Json = False,
) -> None:
    """
    Show what each alert rule looked at in the last 24 hours, and why it sent a message or none.

    A story or a report was sent, with the time, or not: too few outlets, muted, a copy, a title that says little new,
    too old, or the limit of the day was reached. Nothing is sent or changed.
    """
    settings = load_settings(config)
    wanted = [find_digest(settings, name)] if name else digests_of(settings)
    if not (digests := [digest for digest in wanted if digest.alerts]):
        raise DigestError(
            f"the digest {name!r} has no alert rule" if name else "no digest has an alert rule",
            hint='add a [[digests.alerts]] table below its other settings, with a line such as words = ["quake*"]',
        )
    values: list[Row] = []
    lines: list[str] = []
    with closing_store(open_digests(settings.store.url, make=False)) as engine:
        follows = {row.thread: (row, since) for _, since, row in read(engine, load_followed)}
        for digest in digests:
            review = review_alerts(engine, digest, now=datetime.now(UTC))
            rows = [(rule, list(_rule_rows(rule, review, follows))) for rule in digest.alerts]
            values += [{"digest": digest.name, **row} for _, of_rule in rows for row in of_rule]
            lines += _format_rows(digest, review, rows)
    lines.append("watcher story STORY shows the reports of one; the daemon looks after each poll that brings articles")
    print_result(values, lines, json=json)


def _rule_rows(
    rule: StoryAlertSettings, review: AlertReview, follows: Mapping[str, tuple[StoryRow, datetime]]
) -> Iterator[Row]:
    """Yield what a rule looked at, each with what became of it. `follows`: what is followed since when, by thread."""
    decisions = [each for each in review.decisions if each.rule is rule and each.candidate.unmet != NO_WORD]
    unmet_count = 0
    for decision in decisions:
        is_unmet = bool(decision.candidate.unmet) and decision.candidate.report is None
        unmet_count += is_unmet
        if not is_unmet or unmet_count <= MAX_UNMET:
            yield _decision_row(decision, review)
    if rule.when == FOLLOWED:
        threads = {each.candidate.item.thread for each in decisions if isinstance(each.candidate.item, Story)}
        for thread, (story, since) in follows.items():
            if thread not in threads:
                why = f"not sent: no report since you followed it at {format_minute(since)}, or none in these 24 hours"
                yield _make_row(rule, story.id, None, story.title, why)
            if near := review.kept_apart.get(thread):
                headline, key = find_headline(near.story, review.inputs.context), story_key(near.story)
                why = f'not sent: it is kept apart from "{to_one_line(story.title, TITLE_CHARS)}", which you follow '
                why += f"(probability of one event: {near.probability:.2f}); if it belongs there, join them: "
                why += f"watcher story join {near.near_to} {key}"
                yield _make_row(rule, key, None, headline.text if headline else "", why)
    elif rule.words:
        for article, cause in review.excluded.values():
            if matching_phrases(rule.words, [article]):
                title = f"{article.outlet}: {article.title}"
                yield _make_row(rule, None, article.id, title, f"not sent: {describe_cause(cause)}")


def _decision_row(decision: AlertOutcome, review: AlertReview) -> Row:
    candidate, outcome = decision.candidate, decision.words
    story, report = candidate.item, candidate.report
    if report is not None:
        if candidate.unmet == LEFT_OUT and report.id in review.excluded:
            outcome = f"not sent: {describe_cause(review.excluded[report.id][1])}"
        return _make_row(decision.rule, _story_id(candidate), report.id, f"{report.outlet}: {report.title}", outcome)
    if isinstance(story, Story):
        headline = find_headline(story, review.inputs.context)
        return _make_row(decision.rule, _story_id(candidate), None, headline.text if headline else "", outcome)
    return _make_row(decision.rule, None, story.article_id, f"{story.outlet}: {story.title}", outcome)


def _story_id(candidate: Candidate) -> str | None:
    return candidate.item.id if isinstance(candidate.item, Story) else None


def _make_row(rule: StoryAlertSettings, story: str | None, article: str | None, title: str, outcome: str) -> Row:
    return {"rule": rule.label, "story": story, "article": article, "title": title, "outcome": outcome}


def _format_rows(
    digest: DigestSettings, review: AlertReview, rows: Sequence[tuple[StoryAlertSettings, Sequence[Row]]]
) -> Iterator[str]:
    """Yield what the rules of a digest looked at, and what became of it."""
    context = review.inputs.context
    count = sum(each.published_at >= context.window_start for each in context.articles.values())
    yield f"{digest.title}: {format_count(count, 'article')} of the last 24 hours"
    for rule, of_rule in rows:
        yield f"[{rule.label}]"
        for row in of_rule:
            yield f"  {to_one_line(row['title'] or '', TITLE_CHARS)}  {row['article'] or row['story']}"
            yield f"    {row['outcome']}"
        if not of_rule:
            yield f"  {NOTHING.get(rule.when, 'none of these articles has one of its words')}"
