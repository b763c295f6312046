"""The answer to a claim as JSON, for an agent and for `watcher check-claim`: each report's sentence is a quote."""

from digests.mcp.quotes import NAME_CHARS, Answer, make_quote
from digests.render.escape import sanitize_line
from digests.stories.claims import ClaimAnswer, ClaimStory
from digests.summarise.claims import Comparison
from watcher.cli.output import select_fields

DIFFERENCE_CHARS = 40  # of a figure or a name
MAX_REPORTS, MAX_UNREAD = 10, 50  # of each kind of a story; sources


def describe_claim(answer: ClaimAnswer) -> Answer:
    unread = [sanitize_line(name, limit=NAME_CHARS) for name in answer.sources.unread[:MAX_UNREAD]]
    return select_fields(answer, "answer", "independent", "language", "since", "until") | {
        "sources_read": {**select_fields(answer.sources, "outlets", "countries"), "not_read": unread},
        "stories": [_describe_story(story) for story in answer.stories],
    }


def _describe_story(story: ClaimStory) -> Answer:
    """Return a story that may report the claim, with the reports that agree and those that differ."""
    reports = {each.article.id: each.article for each in (*story.agreeing, *story.others)}
    return {
        "story": story.id,
        "is_on_the_claim": story.is_match,
        "probability": story.probability,
        "first_report_at": story.first.published_at,
        "independent": len(story.coverage.independent) if story.agreeing else 0,
        **select_fields(story.coverage, "countries", "languages"),
        "as_it_stands": [_describe_report(each) for each in story.agreeing[:MAX_REPORTS]],
        "otherwise": [_describe_report(each) for each in story.others[:MAX_REPORTS]],
        "corrections": [
            select_fields(each, "kind", "noticed_at")
            | {"article": each.article_id}
            | {name: make_quote(getattr(each, name), reports[each.article_id]) for name in ("before", "after")}
            for each in story.corrections
        ],
    }


def _describe_report(each: Comparison) -> Answer:
    """Return what a report says on the claim, in its own words, and how that differs."""
    return {
        "article": each.article.id,
        "country": each.article.country,
        "quote": make_quote(each.nearest.text, each.nearest),
        "differences": [
            {"kind": difference.kind}
            | {
                name: sanitize_line(getattr(difference, name), limit=DIFFERENCE_CHARS)
                for name in ("claim", "report")
                if difference.kind != "negation"  # its quote shows it
            }
            for difference in each.differences
        ],
    }
