"""What desks do to an agency's text: copies, each beside an independent text on the same event."""

from __future__ import annotations

from collections.abc import Callable

from bench.report_desk import Desk, Made

Maker = Callable[[Desk], Made]


def copied(change: Callable[[Desk, list[str]], str]) -> Maker:
    """Return the maker of a case with the agency's text, a copy by `change`, and an independent text on the event."""

    def make(desk: Desk) -> Made:
        wire = desk.wire()
        agency = desk.rng.choice(("AFP", "Reuters", "dpa", None))
        first = desk.piece("a", desk.body(wire, desk.credit()), agency=agency)
        copy = desk.piece("b", change(desk, wire), agency=desk.rng.choice((agency, None)))
        other = desk.piece("c", desk.body([*desk.retold(), desk.quoted(desk.quote(0), 1)]))
        return (first, copy, other), (("a", "b", True), ("a", "c", False), ("b", "c", False))

    return make


def merged(desk: Desk) -> Made:
    """Return two agencies' texts and an article that is mostly the first, and then the second."""
    main, second = desk.wire(), desk.retold()
    both = [*main[: desk.rng.choice((8, 9))], *second[-desk.rng.choice((3, 4)) :]]
    first = desk.piece("a", desk.body(main, desk.credit()), agency="AFP")
    other = desk.piece("b", desk.body(second), agency="dpa")
    mixed = desk.piece("c", desk.body(both), agency=desk.rng.choice(("AFP", "dpa", None)))
    return (first, other, mixed), (("a", "c", True), ("a", "b", False), ("b", "c", False))


def two_cuts(desk: Desk) -> Made:
    """Return two shortened copies of a text that itself is not there."""
    wire = desk.wire()[:8]
    first = desk.piece("a", desk.body(wire, desk.credit()))
    second = desk.piece("b", desk.body(desk.cut(desk.edited(wire, 0.3), 0.6, 0.9), desk.credit()))
    return (first, second), (("a", "b", True),)


def typography(desk: Desk, wire: list[str]) -> str:
    """Return the text with other quotation marks, apostrophes, dashes and spaces."""
    signs = {"“": '"', "”": '"', "«": '"', "»": '"', "’": "'", "'": "’", " - ": " — ", "...": "…"}
    text = desk.body(wire)
    for old, new in signs.items():
        text = text.replace(old, new)
    return "".join("\u00a0" if sign == " " and desk.rng.random() < 0.05 else sign for sign in text)


def with_subheads(desk: Desk, wire: list[str]) -> str:
    """Return the text in parts under headings of the outlet's own, with its quotation pulled out once more."""
    quote = desk.quote(0)[:60]
    heads = desk.pick("headlines", 2)
    return "\n".join([desk.body(wire[:4]), heads[0], desk.body(wire[4:9]), f"“{quote}”", heads[1], desk.body(wire[9:])])


def reordered(desk: Desk, wire: list[str]) -> str:
    """Return the text with two parts of it changed over after its first sentences."""
    at = desk.rng.randrange(5, 9)
    return desk.body([*wire[:2], *wire[at:], *wire[2:at]])


def with_new_figures(desk: Desk, wire: list[str]) -> str:
    """Return the agency's next version: one figure is another, and one sentence is added."""
    letter = desk.rng.choice([key for key in "abc" if any(f"{{{key}}}" in fact[0] for fact in desk.book["facts"][:5])])
    desk.values[letter] = str(int(desk.values[letter]) + desk.rng.randrange(1, 9))
    later = [*desk.all_facts(0)[:5], wire[5], *desk.all_facts(0)[5:]]
    return desk.body([*later[:3], *desk.pick("follow", 1), *later[3:]])


def interview(desk: Desk) -> Made:
    """Return a text that is quotations for the most part, a reprint of it, and a text of its own on the event."""
    said = [desk.quoted(desk.quote(n), 0) for n in range(3)]
    told = desk.all_facts(0)[:4]
    lines = [told[0], said[0], told[1], said[1], told[2], said[2], told[3]]
    first = desk.piece("a", desk.body(lines, desk.credit()))
    copy = desk.piece("b", desk.body([desk.touched(lines[0]), *lines[1:5], *lines[6:]]))
    other = desk.piece("c", desk.body([*desk.retold(), desk.quoted(desk.quote(0), 1)]))
    return (first, copy, other), (("a", "b", True), ("a", "c", False), ("b", "c", False))


COPIES: dict[str, Maker] = {
    "exact": copied(lambda d, w: d.body(w)),
    "other credit": copied(lambda d, w: d.body(w, d.credit())),
    "edited": copied(lambda d, w: d.body(d.edited(w, d.rng.uniform(0.3, 0.9)), d.credit())),
    "cut": copied(lambda d, w: d.body(d.cut(w), d.credit())),
    "cut and edited": copied(lambda d, w: d.body(d.edited(d.cut(w, 0.4), 0.4), d.credit())),
    "without its beginning": copied(lambda d, w: d.body(w[d.rng.choice((2, 3, 4)) :])),
    "introduced": copied(lambda d, w: d.body([*d.pick("intro", 2), *w])),
    "introduced and cut": copied(lambda d, w: d.body([*d.pick("intro", 1), *d.cut(w, 0.4)])),
    "furniture around": copied(lambda d, w: d.body(w, d.credit(), around=3)),
    "cut, furniture around": copied(lambda d, w: d.body(d.cut(w, 0.4), around=3)),
    "new beginning": copied(lambda d, w: d.body([*d.retold(0, 2), *d.edited(w[2:], 0.3)])),
    "updated": copied(lambda d, w: d.body([*map(d.touched, w[:4]), *d.pick("follow", 2), *w[4:]])),
    "own sentences among it": copied(lambda d, w: d.body(d.with_own(d.edited(w, 0.3)))),
    "typography": copied(typography),
    "teaser": copied(lambda d, w: d.join.join(w[:2]) + " …"),
    "first sentences, edited": copied(lambda d, w: d.body(d.edited(w[:5], 0.3), d.credit())),
    "under headings": copied(with_subheads),
    "reordered": copied(reordered),
    "new figures": copied(with_new_figures),
    "interview": interview,
    "merged": merged,
    "two cuts": two_cuts,
}
