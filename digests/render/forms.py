"""The formats of an edition with their renderers, and a sample edition to test templates with."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from importlib.resources import files

from digests import edition_json
from digests.model import Edition, Rendered
from digests.render import atom, html, mail, markdown, text
from digests.render.atom import AtomSettings
from digests.render.edition_view import edition_view
from digests.render.mail import MailHead
from digests.render.templating import Own
from digests.render.view import EditionView


@dataclass(frozen=True, slots=True, kw_only=True)
class RenderInput:
    edition: Edition
    view: EditionView
    mail: MailHead
    atom: AtomSettings
    earlier: Sequence[Edition]
    own: Own


Renderer = Callable[[RenderInput], bytes]

# The file name of each format, and its renderer.
FORMATS: Mapping[str, tuple[str, Renderer]] = {
    "markdown": ("{date}.md", lambda issue: markdown.render(issue.view, issue.own).encode()),
    "html": ("{date}.html", lambda issue: html.render(issue.view, issue.own).encode()),
    "text": ("{date}.txt", lambda issue: text.render(issue.view, issue.own).encode()),
    "eml": ("{date}.eml", lambda issue: mail.render(issue.view, issue.edition, issue.mail, issue.own)),
    "json": ("{date}.json", lambda issue: edition_json.dump(issue.edition)),
    "atom": ("feed.atom", lambda issue: atom.render((issue.edition, *issue.earlier), issue.atom, issue.own).encode()),
}


def render(
    edition: Edition,
    formats: Sequence[str],
    *,
    mail: MailHead = MailHead(),  # noqa: B008
    atom: AtomSettings = AtomSettings(),  # noqa: B008
    earlier: Sequence[Edition] = (),
    own: Own = (),
) -> tuple[Rendered, ...]:
    """Return the edition in each format, always the same bytes. Errors: DigestError, for a bad address or template."""
    issue = RenderInput(edition=edition, view=edition_view(edition), mail=mail, atom=atom, earlier=earlier, own=own)
    rendered = []
    for form in dict.fromkeys(formats):
        name, renderer = FORMATS[form]
        rendered.append(Rendered(format=form, name=name.format(date=edition.local_date), body=renderer(issue)))
    return tuple(rendered)


def try_templates(own: Own) -> None:
    """Render a full, a first and an empty edition in every format with own templates. Errors: DigestError."""
    full = sample_edition()
    first = replace(full, previous=None, corrections=(), briefs=(), ended=(), note="")
    for each in (full, first, replace(first, sections=())):
        render(each, tuple(FORMATS), own=own, earlier=(full,))


def sample_edition() -> Edition:
    """Return an edition of two stories, one with a quoted and one with a written summary; every field is filled."""
    return edition_json.load((files("digests.render") / "sample_edition.json").read_bytes())
