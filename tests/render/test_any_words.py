"""Whatever strangers write, in every field of an edition at once: each form is made, and stays what it is."""

from __future__ import annotations

import email
import io
import zipfile
from dataclasses import fields, is_dataclass, replace
from email import policy
from enum import Enum

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st
from lxml import etree
from lxml import html as lxml_html

from digests import edition_json
from digests.render.forms import FORMATS, MailHead, render, sample_edition
from digests.render.markdown import _to_html
from watcher.failure_messages import Reason

ANY_TEXT = st.text(st.characters(codec=None, categories=None), max_size=30)
HEAD = MailHead(sender="digest@example.org", to=("reader@example.net",))
XML_FILES = (".xml", ".opf", ".ncx", "html")
ELEMENTS = {
    *("html", "head", "meta", "title", "style", "body", "a", "header", "h1", "h2", "h3", "p", "time", "div", "nav"),
    *("ol", "ul", "li", "span", "svg", "path", "circle", "text", "line", "rect", "main", "section", "article", "b"),
    *("cite", "bdi", "footer", "small", "br", "details", "summary", "strong", "blockquote"),
}


def filled_with(value, text: str):
    """Return a value whose every text, however deep, is `text`."""
    if isinstance(value, Enum):
        return value
    if isinstance(value, Reason):
        return Reason(value.kind, **{name: filled_with(one, text) for name, one in value.values})
    if isinstance(value, str):
        return text
    if isinstance(value, tuple):
        return tuple(filled_with(one, text) for one in value)
    if is_dataclass(value):
        return replace(value, **{field.name: filled_with(getattr(value, field.name), text) for field in fields(value)})
    return value


def elements(source: str) -> set[str]:
    return {element.tag for element in lxml_html.document_fromstring(source).iter() if isinstance(element.tag, str)}


@pytest.mark.slow
@given(ANY_TEXT)
@example("<script>alert(1)</script>")
@example('"><img src=x onerror=alert(1)>')
@example("]]></content></entry><script/>")
@example("{{ v.title }}{% if %}")
@example("\x00\ud800\u202e\r\n\r\nBcc: x@example.org")
@example("a{name}b{n}")
@settings(max_examples=15, deadline=None)  # beside the examples above, which have what breaks a form
def test_every_form_stays_what_it_is(text):
    filled = replace(filled_with(sample_edition(), text), note="")  # the note is the reader's own Markdown
    made = {form.format: form.body for form in render(filled, tuple(FORMATS), mail=HEAD)}

    message = email.message_from_bytes(made["eml"], policy=policy.default)
    assert [defect for part in message.walk() for defect in part.defects] == []
    assert message["Bcc"] is None
    assert len(list(message.walk())) == 3
    assert elements(made["html"].decode()) <= ELEMENTS
    assert elements(message.get_body(("html",)).get_content()) <= ELEMENTS
    assert len(etree.fromstring(made["atom"]).findall("{*}entry")) == 1
    with zipfile.ZipFile(io.BytesIO(made["epub"])) as book:
        assert all(etree.fromstring(book.read(name)) is not None for name in book.namelist() if name[-4:] in XML_FILES)
    assert edition_json.load(made["json"]).number == 1
    assert made["markdown"].decode().count("\n---\n") == 2
    assert len(lxml_html.document_fromstring(_to_html(made["markdown"].decode())).xpath("//h3")) == 2
