"""An edition as a short JSON message: plain JSON, ntfy, Slack, Discord, or what Apprise takes; a function for each."""

import json
import re
from collections.abc import Callable, Iterable
from html import escape

from digests.model.edition import Edition
from digests.render import text
from digests.render.mail import subject_line
from digests.render.view import EditionView, StoryView

NTFY_BYTES = 3_900  # ntfy turns a message above 4,096 into a file
SLACK_CHARS = 3_900  # Slack recommends less than 4,000
DISCORD_CHARS, DISCORD_TITLE = 3_900, 256  # of an embed's text (4,096 at most) and its title
SLACK_SIGNS = re.compile(r"([*_~`|])")
MENTION_SIGNS = re.compile(r"([@<])")
MARKDOWN_SIGNS = re.compile(r"([\\`*_~|>#\[\]()@:<-])")


def render(view: EditionView, edition: Edition, *, shape: str) -> bytes:
    """Return the body of the request, JSON in UTF-8; one edition always gives the same bytes. `shape`: of `SHAPES`."""
    return json.dumps(SHAPES[shape](view, edition), ensure_ascii=False, separators=(",", ":")).encode()


def _json_payload(view: EditionView, edition: Edition) -> dict[str, object]:
    """Return an edition as Watcher's own JSON for a webhook."""
    stories = [
        {
            "number": shown.number,
            "title": shown.title,
            "original": shown.original.text if shown.original else None,
            "url": shown.url,
            "outlets": story.outlets,
            "independent": story.independent,
            "headline_only": story.headline_only,
        }
        for shown, story in zip(view.stories, edition.stories, strict=True)
    ]
    return {
        "digest": view.digest,
        "title": view.title,
        "date": view.day.isoformat(),
        "number": view.number,
        "made_at": edition.made_at.isoformat(),
        "subject": subject_line(view),
        "stories": stories,
        "text": text.render(view),
    }


def _ntfy_payload(view: EditionView, edition: Edition) -> dict[str, object]:
    """Return a message for ntfy's JSON API (docs.ntfy.sh/publish); the channel adds the topic from the URL."""
    lines = (
        f"{story.number}. {story.title}{story.mark}" + (f" ({story.coverage})" if story.coverage else "")
        for story in view.stories
    )
    message = _fit_lines(lines, lambda told: len(told.encode()) <= NTFY_BYTES) or view.preview
    lead = view.stories[0].url if view.stories else None
    payload: dict[str, object] = {"title": view.heading, "message": message}
    return payload | ({"click": lead} if lead else {})


def _slack_payload(view: EditionView, edition: Edition) -> dict[str, object]:
    """Return an edition as a message for Slack, cut at a line to the length that Slack accepts."""

    def line(story: StoryView) -> str:
        title = escape_slack(story.title + story.mark)
        return f"{story.number}. " + (f"<{story.url.replace('&', '&amp;')}|{title}>" if story.url else title)

    head = f"*{escape_slack(view.heading)}*"
    lines = [head, *map(line, view.stories)] if view.stories else [head, escape_slack(view.preview)]
    text = _fit_lines(lines, lambda text: len(text) <= SLACK_CHARS)
    return {"text": text, "unfurl_links": False, "unfurl_media": False}


def _discord_payload(view: EditionView, edition: Edition) -> dict[str, object]:
    """Return a message for Discord's webhooks: one embed; an "@everyone" in a headline notifies nobody."""

    def line(story: StoryView) -> str:
        title = escape_markdown(story.title + story.mark)
        return f"{story.number}\\. " + (f"[{title}]({story.url})" if story.url else title)

    lines = map(line, view.stories) if view.stories else [escape_markdown(view.preview)]
    text = _fit_lines(lines, lambda text: len(text) <= DISCORD_CHARS)
    embed = {"title": view.heading[:DISCORD_TITLE], "description": text}
    return {"embeds": [embed], "allowed_mentions": {"parse": []}}


def _apprise_payload(view: EditionView, edition: Edition) -> dict[str, object]:
    """Return the heading and the headlines as lines of text, HTML and Markdown; the channel takes those that fit."""
    shown = [(f"{story.number}. ", hide_mentions(story.title + story.mark), story.url) for story in view.stories]
    shown = shown or [("", hide_mentions(view.preview), None)]
    html = (n + (f'<a href="{escape(url)}">{escape(title)}</a>' if url else escape(title)) for n, title, url in shown)
    markdown = (
        n + (f"[{escape_markdown(title)}](<{url}>)" if url else escape_markdown(title)) for n, title, url in shown
    )
    return {
        "title": view.heading,
        "text": [view.heading, *(n + title + (f"\n{url}" if url else "") for n, title, url in shown)],
        "html": [f"<b>{escape(view.heading)}</b>", *html],
        "markdown": [f"**{escape_markdown(view.heading)}**", "", *markdown],
    }


def _fit_lines(lines: Iterable[str], fits: Callable[[str], bool]) -> str:
    """Return as many of the first lines as fit; no line is cut, so no link breaks."""
    text = ""
    for line in lines:
        longer = f"{text}\n{line}" if text else line
        if not fits(longer):
            break
        text = longer
    return text


def escape_slack(value: str) -> str:
    """Return text that Slack shows literally (api.slack.com: three characters to escape; no formatting signs)."""
    value = value.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")
    return SLACK_SIGNS.sub("\\1\u200b", value)  # a zero-width space keeps two signs from forming a pair


def escape_markdown(value: str) -> str:
    return MARKDOWN_SIGNS.sub(r"\\\1", value)


def hide_mentions(value: str) -> str:
    """Return text in which no service finds a mention such as "@everyone" or "<!channel>"."""
    return MENTION_SIGNS.sub("\\1\u200b", value)


SHAPES = {
    "json": _json_payload,
    "ntfy": _ntfy_payload,
    "slack": _slack_payload,
    "discord": _discord_payload,
    "apprise": _apprise_payload,
}
