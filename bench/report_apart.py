"""Independent texts that look like copies: what they share is said, counted, filled in, or furniture."""

from __future__ import annotations

from collections.abc import Callable

from bench.report_desk import Desk, Made

Maker = Callable[[Desk], Made]


def apart(
    first: Callable[[Desk], str],
    second: Callable[[Desk], str],
    *,
    title: str = "",
    outlet: str = "",
    agency: str | None = None,
) -> Maker:
    """Return the maker of two independent texts, which may share a title, an outlet or an agency."""

    def make(desk: Desk) -> Made:
        a = desk.piece("a", first(desk), title=title, outlet=outlet, agency=agency)
        body = second(desk)
        b = desk.piece("b", body, title=title or body[:50], outlet=outlet, agency=agency)
        return (a, b), (("a", "b", False),)

    return make


def with_quotes(desk: Desk, told: list[str]) -> str:
    """Return a text with two or three long quotations, in a style of its own."""
    style = desk.rng.randrange(4)
    quotes = [desk.quoted(desk.quote(n), style) for n in range(desk.rng.choice((2, 3)))]
    return desk.body([told[0], quotes[0], *told[1:4], *quotes[1:], *told[4:]])


def with_statement(desk: Desk, told: list[str]) -> str:
    """Return a text in which a statement is printed without quotation marks: spoken lines, or after a colon."""
    words = [desk.quote(n) for n in range(2)]
    name = desk.values["name"]
    if desk.rng.random() < 0.5:
        spoken = [f"— {line}." for line in words]
    else:
        spoken = [f"{name}:", desk.join.join(f"{line}." for line in words)]
    return "\n".join([desk.body(told[:5]), *spoken, desk.body(told[5:])])


def with_table(desk: Desk, told: list[str]) -> str:
    return "\n".join([desk.body(told), *desk.fill(desk.book["table"])])


def with_background(desk: Desk, told: list[str], count: int) -> str:
    return "\n".join([desk.body(told), *desk.fill(desk.book["background"])[:count]])


def followed_up(desk: Desk) -> Made:
    """Return an agency's text and its text of days later, with some sentences of the first as background."""
    wire, new = desk.wire(), desk.pick("follow", 6)
    start, count = desk.rng.choice((0, 1, 2)), desk.rng.choice((2, 3, 4))
    old = [*wire[start : start + count], *desk.fill(desk.book["background"])[:1]]
    first = desk.piece("a", with_background(desk, wire, 1), agency="AFP")
    hours = desk.rng.choice((9.0, 26.0, 50.0))
    later = desk.piece("b", desk.body([*new, *old]), title=new[0][:50], agency="AFP", hours=hours)
    return (first, later), (("a", "b", False),)


def of_one_form(lines: Callable[[Desk], list[str]], outlets: tuple[str, str]) -> Maker:
    """Return the maker of two notes by one form, of two events: its words are shared, places and figures are not."""

    def make(desk: Desk) -> Made:
        form = lines(desk)
        first = desk.piece("a", desk.body(desk.fill(form)), outlet=outlets[0])
        desk.again()
        second = desk.piece("b", desk.body(desk.fill(form)), outlet=outlets[1], hours=desk.rng.choice((1.0, 24.0)))
        return (first, second), (("a", "b", False),)

    return make


def facts_as_form(desk: Desk) -> list[str]:
    """Return six sentences of the book, rather such as have figures."""
    facts = [fact[0] for fact in desk.book["facts"]]
    return sorted(desk.rng.sample(sorted(facts, key=lambda line: -line.count("{"))[:8], 6), key=facts.index)


def live_tables(desk: Desk) -> Made:
    """Return two texts with one table, which has moved on between them."""
    first = desk.piece("a", with_table(desk, desk.all_facts(0)[:5]))
    desk.again()
    second = desk.piece("b", with_table(desk, desk.pick("side", 5)), hours=3.0)
    return (first, second), (("a", "b", False),)


def of_press_conference(desk: Desk, told: list[str]) -> str:
    """Return a text in which three long quotations take as much room as all else."""
    said = [desk.quoted(desk.quote(n), desk.rng.randrange(2)) for n in range(3)]
    return desk.body([told[0], said[0], told[1], said[1], *told[2:4], said[2]])


INDEPENDENT: dict[str, Maker] = {
    "same event retold": apart(lambda d: d.body(d.wire()), lambda d: d.body(d.retold())),
    "same headline": apart(lambda d: d.body(d.wire(0, 9)), lambda d: d.body(d.retold()), title="In brief: the news"),
    "same quotations": apart(lambda d: with_quotes(d, d.all_facts(0)[:7]), lambda d: with_quotes(d, d.retold(0, 8))),
    "same statement": apart(
        lambda d: with_statement(d, d.all_facts(0)[:8]), lambda d: with_statement(d, d.retold(0, 8))
    ),
    "same table": apart(lambda d: with_table(d, d.all_facts(0)[:7]), lambda d: with_table(d, d.retold(0, 7))),
    "same furniture": apart(lambda d: d.body(d.wire(0, 7), around=4), lambda d: d.body(d.retold(0, 7), around=4)),
    "furniture of one outlet": apart(
        lambda d: d.body(d.all_facts(0)[:5], around=4), lambda d: d.body(d.pick("side", 5), around=4), outlet="Daily"
    ),
    "same background": apart(
        lambda d: with_background(d, d.wire(0, 8), 3), lambda d: with_background(d, d.retold(0, 8), 2)
    ),
    "two wires of a day": apart(
        lambda d: with_background(d, d.wire(), 1),
        lambda d: with_background(d, [*d.pick("side", 6), *d.all_facts(0)[7:9]], 1),
        agency="AFP",
    ),
    "follow-up": followed_up,
    "one form": of_one_form(facts_as_form, ("Daily", "Daily")),
    "form of a market, match, quake": of_one_form(lambda d: d.rng.choice(d.book["forms"]), ("outlet a", "outlet b")),
    "form of one outlet": of_one_form(lambda d: d.rng.choice(d.book["forms"]), ("Daily", "Daily")),
    "live table": live_tables,
    "press conference": apart(
        lambda d: of_press_conference(d, d.all_facts(0)), lambda d: of_press_conference(d, d.retold())
    ),
    "sentences lifted": apart(
        lambda d: d.body(d.wire()), lambda d: d.body([*d.retold(0, 9)[:6], *d.all_facts(0)[9:11], *d.pick("side", 3)])
    ),
}
