"""Templates of a reader's own: they replace ours, reach nothing behind the edition, and say what is wrong with them."""

from __future__ import annotations

import quopri
import re
from dataclasses import fields
from pathlib import Path

import pytest

from digests.edition.publish import MAX_TEMPLATE_BYTES, load_own_templates
from digests.errors import DigestError
from digests.render.forms import render, try_templates
from digests.render.templating import TEMPLATE_NAMES
from digests.render.view import BriefView, CorrectionView, EditionView, PerspectiveView, StoryView

pytestmark = pytest.mark.slow  # two seconds and more together: the quick set has a minute for all

OURS = Path(__file__).parents[2] / "digests" / "render" / "templates"
FORMS = ["markdown", "html", "text", "eml", "atom"]
PAGE = (Path(__file__).parents[2] / "docs" / "guides" / "templates.md").read_text("utf-8")


def body(edition, form: str, folder: Path) -> str:
    return render(edition, [form], own_templates=load_own_templates(folder))[0].body.decode()


def test_ours_are_the_names_that_may_be_replaced():
    assert sorted(TEMPLATE_NAMES) == sorted(path.name for path in OURS.iterdir() if path.is_file())


@pytest.fixture(scope="module")
def by_ours(editions):
    """An edition in all forms by our own templates."""
    return render(editions.moved(), FORMS)


@pytest.mark.parametrize("name", TEMPLATE_NAMES)
def test_a_copy_of_ours_gives_the_same_bytes(editions, tmp_path, name, by_ours):
    (tmp_path / name).write_bytes((OURS / name).read_bytes())

    assert render(editions.moved(), FORMS, own_templates=load_own_templates(tmp_path)) == by_ours
    try_templates(load_own_templates(tmp_path))


def test_one_file_of_the_reader_changes_its_form_only(editions, tmp_path):
    (tmp_path / "page.html.j2").write_text('{% include "_top.j2" %}{% for s in v.stories %}{{ s.title }};{% endfor %}')
    (tmp_path / "_top.j2").write_text("<p>{{ w.long_date(v.day) }}</p>")

    page = body(editions.rich(), "html", tmp_path)

    assert page.startswith("<p>Friday, 14 March 2025</p>Dam gives way")
    assert "&lt;script&gt;alert(1)&lt;/script&gt;" in page
    assert body(editions.rich(), "markdown", tmp_path) == render(editions.rich(), ["markdown"])[0].body.decode()


def test_a_style_of_the_reader_goes_into_the_page(editions, tmp_path):
    (tmp_path / "page.css").write_text("body { color: rebeccapurple }")

    assert "body { color: rebeccapurple }</style>" in body(editions.small(), "html", tmp_path)


@pytest.mark.parametrize(
    ("source", "told"),
    [
        ("a\n{% if v.stories %}\nb\n", r"page\.html\.j2:\d: Unexpected end of template"),
        ("a\nb\n{{ v.stroies }}\n", r"page\.html\.j2:3: this value has no part 'stroies'; did you mean \"stories\"\?$"),
        ("a\n{{ nothing }}\n", r"page\.html\.j2:2: there is no value 'nothing'$"),
        ("a\n{{ 1 // 0 }}\n", r"page\.html\.j2:2: .*zero"),
        ("{{ v.number | upside_down }}", r"page\.html\.j2:1: No filter named 'upside_down'"),
        ('\n{% include "_no.j2" %}', r"page\.html\.j2:2: _no\.j2"),
        ("{{ v.__class__.__mro__ }}", r"page\.html\.j2:1: access to attribute '__class__'.*unsafe"),
        ("{{ w.say.__globals__ }}", r"page\.html\.j2:1: access to attribute '__globals__'.*unsafe"),
        ("{% for i in range(10**9) %}{% endfor %}", r"page\.html\.j2:1: Range too big"),
    ],
)
def test_what_is_wrong_is_said_with_file_and_line(tmp_path, source, told):
    (tmp_path / "page.html.j2").write_text(source)

    with pytest.raises(DigestError, match=told):
        try_templates(load_own_templates(tmp_path))


def test_a_fault_that_shows_in_an_empty_edition_only_is_found(tmp_path):
    (tmp_path / "edition.txt.j2").write_text("{{ v.stories[0].title }}")

    with pytest.raises(DigestError, match=r"edition\.txt\.j2:1"):
        try_templates(load_own_templates(tmp_path))


def test_a_slip_in_a_name_is_told(tmp_path):
    (tmp_path / "page.htm.j2").write_text("x")

    with pytest.raises(
        DigestError, match=r'page\.htm\.j2: there is no template of this name.*did you mean "page\.html\.j2"'
    ):
        load_own_templates(tmp_path)


def test_a_folder_that_is_not_there_and_a_file_that_is_too_large_are_told(tmp_path):
    with pytest.raises(DigestError, match="No such file"):
        load_own_templates(tmp_path / "nowhere")
    (tmp_path / "page.css").write_bytes(b"x" * (MAX_TEMPLATE_BYTES + 1))
    with pytest.raises(DigestError, match="larger than 256 KiB"):
        load_own_templates(tmp_path)


def test_letters_that_are_no_utf_8_are_told(tmp_path):
    (tmp_path / "page.css").write_bytes(b"\xff\xfe")

    with pytest.raises(DigestError, match="utf-8"):
        load_own_templates(tmp_path)


@pytest.mark.parametrize("kind", [EditionView, StoryView, BriefView, CorrectionView, PerspectiveView])
def test_the_page_names_what_a_template_is_given(kind):
    names = [field.name for field in fields(kind) if field.name != "words"]

    assert [name for name in names if f"`{name}`" not in PAGE] == []
    assert [name for name in TEMPLATE_NAMES if not re.search(rf"`{re.escape(name)}`", PAGE)] == []


@pytest.mark.parametrize("form", ["markdown", "html", "text", "eml", "atom"])
def test_a_document_of_the_reader_changes_every_form(editions, tmp_path, form):
    (tmp_path / "edition.md.j2").write_text(
        "# {{ v.title }}\n\n---\n{% for s in v.stories %}\n\n## Told otherwise{{ h(' {: .lead }') }}\n\n"
        "{{ s.title | link(s.url) }}\n\n<script>alert(1)</script>\n{% endfor %}\n\n---\n\nThe end of it\n"
    )

    told = body(editions.small(), form, tmp_path).lower()
    told = quopri.decodestring(told.encode()).decode() if form == "eml" else told

    assert told.count("told otherwise") == (4 if form == "eml" else 2)  # a mail has two parts
    assert "the end of it" in told
    assert "since yesterday" not in told
    assert "<script>" not in told or form == "markdown"  # the file is the reader's own Markdown
