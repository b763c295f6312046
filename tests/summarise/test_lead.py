"""Summaries: which sentences, and that they are verbatim."""

import dataclasses
from functools import partial

import pytest
from hypothesis import given
from hypothesis import strategies as st

from digests.analysis.select import display_length
from digests.summarise.checks import collect_prompt_sources
from digests.summarise.headline import choose_headline, is_informative
from digests.summarise.lead import MAX_QUOTED_WIDTH, MAX_SENTENCES, MAX_WIDTH, choose_summary, make_sentence
from tests.compose.factories import agreement, article, by_id, story

BRIDGE = (
    "A road bridge over the river Aar collapsed on Monday morning, killing 12 people, police in Bern said.\n"
    "He said the cause was not known.\n"
    "Rescuers pulled 31 survivors from the water, and divers were looking for five people who are still missing.\n"
    "But the search was hard.\n"
    "Subscribe to our newsletter for more stories like this one every morning.\n"
    "Engineers had warned of cracks in the bridge in a report to the canton two years ago."
)
OTHER = (
    "Twelve people were killed when the Aar bridge collapsed in Bern, and divers searched the river for five people.\n"
    "The bridge was built in 1968 and carried 20,000 cars a day, according to the canton of Bern.\n"
    "Police said 31 survivors were pulled from the river."
)
GERMAN = "Eine Straßenbrücke über die Aare ist am Montag in Bern eingestürzt."


def summary(story, articles, *, language="en", title=""):
    return choose_summary(story, articles, agreement(story, articles), languages=(language,), title=title)


def headline(story, articles):
    return choose_headline(story, articles, agreement(story, articles), languages=("en",))


def texts(sentences):
    return [sentence.text for sentence in sentences]


def test_a_sentence_in_front_of_the_credit_of_a_picture_is_a_caption():
    caption = "The broken bridge over the river Aar near the town of Bern on Monday morning lies in the water."
    report = article("Post", "Bridge over the Aar collapses", f"{caption} Credit: Anna Keller\n{BRIDGE}")
    told = summary(story(report), by_id(report))

    assert told and caption not in texts(told)


def verbatim(sentences, articles):
    return all(articles[s.article_id].text[s.offset : s.offset + len(s.text)] == s.text for s in sentences)


def test_a_summary_is_verbatim_in_order_and_from_one_report():
    one, two = article("Bund", "Bridge collapses in Bern", BRIDGE), article("Zeit", "Bern bridge falls", OTHER)
    articles = by_id(one, two)

    found = summary(story(one, two), articles, language="en", title=one.title)

    assert 2 <= len(found) <= MAX_SENTENCES
    assert verbatim(found, articles)
    assert len({s.article_id for s in found}) == 1
    assert [s.offset for s in found] == sorted(s.offset for s in found)
    assert sum(display_length(s.text) for s in found) <= MAX_WIDTH


def test_the_report_whose_title_is_the_headline_tells_the_story():
    one, two = article("Bund", "Bridge collapses in Bern", BRIDGE), article("Zeit", "Bern bridge falls", OTHER)

    for headline in (one, two):
        found = summary(story(one, two), by_id(one, two), title=headline.title)
        assert {s.article_id for s in found} == {headline.id}


@pytest.mark.parametrize("languages", [("en",), ("en", "pt")])
def test_a_local_angle_never_tells_a_story_of_which_another_report_tells_the_event(languages):
    tour = "Two nurses from Harwick are safe after the bridge collapse in Bern, their families in England said."
    fall = "Uma ponte rodoviária sobre o rio Aar desabou na segunda-feira em Berna, na Suíça, e matou 12 pessoas."
    local = article("Echo", "Harwick nurses safe after collapse in Switzerland", tour, country="GB", hours=3)
    reports = [article("Ponte", "Ponte desaba em Berna, na Suíça", fall, language="pt", country="PT", hours=1)]
    reports += [article("Bund", "Brücke in Bern eingestürzt", f"{GERMAN} Schweiz.", language="de", country="CH")]
    told, articles = story(*reports, local), by_id(*reports, local)

    for title in (reports[0].title, ""):
        found = choose_summary(told, articles, agreement(told, articles), languages=languages, title=title)
        assert found and local.id not in {s.article_id for s in found}


def test_a_local_angle_tells_a_story_in_the_language_of_the_headline_if_no_other_report_can():
    tour = "Two nurses from Harwick are safe after the bridge collapse in Bern, their families in England said."
    local = article("Echo", "Harwick nurses safe after collapse in Switzerland", tour, country="GB", hours=3)
    reports = [
        article(f"Bund {n}", "Bridge in Bern, Switzerland, collapses", "He said so.", hours=n, country="CH")
        for n in range(3)
    ]

    found = summary(story(*reports, local), by_id(*reports, local), title=reports[0].title)

    assert [sentence.article_id for sentence in found] == [local.id]


def test_pronouns_connectives_and_furniture_never_stand_in_a_summary():
    one = article("Bund", "Bridge collapses in Bern", BRIDGE)

    found = summary(story(one), by_id(one), language="en", title="Bridge collapses in Bern")

    assert not {"He said the cause was not known.", "But the search was hard."} & set(texts(found))
    assert not any("newsletter" in text for text in texts(found))


def test_a_sentence_that_only_repeats_the_headline_is_left_out():
    text = (
        "Bridge over the river Aar collapses in Bern, killing twelve.\n"
        "Divers search for five people who were on the bridge."
    )
    one = article("Bund", "Bridge over the river Aar collapses in Bern, killing twelve", text)

    found = summary(story(one), by_id(one), language="en", title=one.title)

    assert texts(found) == ["Divers search for five people who were on the bridge."]


def test_a_report_that_adds_something_comes_before_one_that_says_the_headline_again():
    again = (
        "Mayor Ana Tarn told a paper on Sunday that the repair of the bridge in Bern could last the next four weeks."
    )
    adds = (
        "Speaking by phone of the repair of the bridge in Bern, the mayor of the Swiss capital said: “It has always "
        "been four weeks, as the steel comes from Sweden.”"
    )
    headed = article("Zeit", "Repair of the bridge in Bern could last four weeks, mayor tells paper", again, hours=4)
    other = article("Bund", "Swiss capital waits: a month without trams, says mayor", adds, hours=3)

    found = summary(story(other, headed), by_id(other, headed), language="en", title=headed.title)

    assert texts(found) == [adds]


def test_of_two_sentences_of_which_one_says_all_that_the_other_says_one_is_quoted():
    first = (
        "At least nine people have been killed after a missile strike on the city of Beit Shemesh in central Israel."
    )
    text = (
        f"{first}\nAt least nine people have been killed after a missile strike on the city of Beit Shemesh, as Tehran"
        " continues to launch retaliatory attacks a day after its leader was assassinated.\n"
        "Rescue teams searched the rubble of a synagogue and a shelter for people who are still missing."
    )
    one = article("Bund", "Nine killed in Beit Shemesh", text)

    found = texts(summary(story(one), by_id(one), title=one.title))

    assert len([sentence for sentence in found if sentence.startswith("At least nine")]) == 1


def test_a_sentence_is_quoted_without_the_byline_before_it():
    text = "By Anna Meier and Jan Keller BERN, March 2 (Reuters) - Divers searched the river for five people on Monday."
    one = article("Bund", "Bridge collapses in Bern", text)

    found = summary(story(one), by_id(one), title=one.title)

    assert texts(found) == ["Divers searched the river for five people on Monday."]
    assert verbatim(found, by_id(one))


def test_a_report_in_the_digests_language_is_used_even_if_others_are_more():
    german = [article(f"Blatt {n}", "Brücke stürzt ein", GERMAN, language="de") for n in range(4)]
    english = article("Herald", "Bridge falls", "A road bridge over the Aar collapsed in Bern on Monday, police said.")

    found = summary(story(*german, english), by_id(*german, english), language="en")

    assert [s.language for s in found] == ["en"]


def test_without_a_report_in_the_digests_language_one_original_sentence_stands():
    text = f"{GERMAN}\nTaucher suchen im Fluss nach fünf Vermissten."
    german = article("Blatt", "Brücke stürzt ein", text, language="de")

    found = summary(story(german), by_id(german), language="en")

    assert len(found) == 1
    assert found[0].language == "de"


def test_what_independent_reports_agree_on_is_chosen_over_one_papers_colour():
    colour = (
        "The morning light lay softly over the old town when the baker Rosa Keller opened her shop as on every day.\n"
    )
    one = article("Bund", "Bridge collapses", colour + BRIDGE)
    two = article("Zeit", "Bern bridge falls", OTHER)
    articles = by_id(one, two)

    found = summary(story(one, two), articles, language="en", title="Bridge collapses")

    assert not any("baker" in text for text in texts(found))


@pytest.mark.parametrize("text", ["", "Watch", "He said no.", "…", "12", "\n\n"])
def test_a_text_without_a_sentence_gives_no_summary(text):
    one = article("Bund", "Bridge collapses in Bern", text)

    assert summary(story(one), by_id(one), language="en") == ()


def test_a_live_blog_gives_no_summary_and_no_headline_where_there_is_a_report():
    live = article("Live", "Bern bridge collapse kills twelve people, police say", BRIDGE, kind="live", hours=1)
    plain = article("Zeit", "Bern bridge falls, twelve dead", OTHER, hours=2)
    articles = by_id(live, plain)

    assert {s.article_id for s in summary(story(live, plain), articles, language="en")} == {plain.id}
    assert headline(story(live, plain), articles).article == plain


@pytest.mark.parametrize(
    ("language", "skipped", "text"),
    [
        (
            "en",
            "He wanted the bridge at Thun closed for a year.",
            "The move was criticised by shops in Bern and Basel.",
        ),
        (
            "en",
            "It was shelved in the spring by both chambers.",
            "Although the bill fell, shops in Bern stayed closed.",
        ),
        (
            "en",
            "But the canton had warned of cracks.",
            "Engineers in Basel, however, called the cracks in Bern harmless.",
        ),
        ("en", "“Is the bridge going to fall soon?”", "Rosa Keller asks as she steers her lorry to Bern on Monday."),
        ("en", "It was Rosa Keller who heard the crash.", "In Bern, after the crash, Keller closed her old bakery."),
        ("de", "Er will die Brücke in Thun ein Jahr sperren.", "Der Vorstoß stieß bei Läden in Bern auf Widerstand."),
        ("fr", "Il veut fermer le pont de Thoune.", "La mesure a été critiquée par des commerces de Berne et de Bâle."),
        (
            "es",
            "Él quiere cerrar el puente de Thun.",
            "Las autoridades de Berna sugirieron otra medida para el tráfico.",
        ),
        (
            "sv",
            "Han vill stänga bron i Thun i ett år.",
            "Förslaget kritiserades av butiker i både Bern och Basel i går.",
        ),
    ],
)
def test_a_sentence_that_needs_the_one_before_it_is_quoted_only_behind_it(language, skipped, text):
    lead = {"de": GERMAN, "sv": "En vägbro över floden Aare rasade i Bern på måndagen, sade polisen i staden."}
    first = lead.get(
        language, "A road bridge over the river Aar collapsed in Bern on Monday, killing 12 people, police said."
    )
    behind = article("Bund", "Bridge", f"{first}\n{skipped}\n{text}", language=language)
    beside = article("Bund", "Bridge", f"{text}\n{first}", language=language)

    assert text not in texts(summary(story(behind), by_id(behind), language=language, title="Bridge"))
    # What a first sentence speaks of is in the headline.
    title = "Bridge: a move, a bill, une mesure"
    assert text in texts(summary(story(beside), by_id(beside), language=language, title=title))


@pytest.mark.parametrize("marks", ["“”", '""', "«»", "„“"])
def test_a_sentence_of_a_quotation_of_several_paragraphs_is_not_quoted_as_the_outlets_own(marks):
    within = "Boats between Oslo and Kiel will stay in port for the whole of the coming winter."
    text = (
        "The minister explained it in parliament in the evening.\n"
        f"{marks[0]}Repairs cannot wait. {within} Nobody will have to pay for it.\n"
        f"{marks[0]}We know what is to be done now.{marks[1]}"
    )
    only = article("1", "Ferries", text=text)

    assert within not in texts(summary(story(only), by_id(only)))


FIRST = "A road bridge over the river Aar collapsed in Bern on Monday, killing 12 people, police said."


@pytest.mark.parametrize(
    ("text", "is_quoted"),
    [
        ("Engineers in Bern had warned in May of 400 deep cracks in two pillars of the bridge.", True),
        ("A taxi driver from Basel had stopped for coffee in May and was looking for change.", False),
        ("Engineers in Bern had warned of this and said so to the bridge office in May.", False),
        ("Engineers in Bern at first had no warning for the bridge office in May.", False),
        ("Engineers in Bern had, in fact, warned the bridge office in May.", False),
        ("Engineers in Bern say in their report of May that she had the bridge closed.", False),
    ],
)
def test_a_sentence_further_down_is_quoted_alone_only_if_it_is_on_the_headline_and_points_nowhere(text, is_quoted):
    one = article(
        "Bund",
        "Engineers warned of the bridge in Bern",
        f"{FIRST}\nBut it came too late for the people of the town.\n{text}",
    )

    assert (text in texts(summary(story(one), by_id(one), title=one.title))) is is_quoted


def test_an_answer_is_not_quoted_without_its_question():
    text = "Which bridge has to close in Bern?\nThe Aar bridge, of course, where police counted 400 cracks."
    one = article("Bund", "Bridge in Bern has to close", text)

    assert summary(story(one), by_id(one), title=one.title) == ()


def test_a_notice_above_the_text_does_not_make_its_first_sentence_a_later_one():
    notice = "This story is available to the subscribers of the paper only."
    one = article("Bund", "Twelve die in Bern", f"{notice}\n{FIRST}")

    assert texts(summary(story(one), by_id(one), title=one.title)) == [FIRST]


def test_in_a_language_without_lists_of_words_the_first_sentence_shares_a_word_with_the_headline():
    text = "Ngabona amanxeba amathathu, egxalabeni, emqaleni kanye nasemhlane."
    off, on = (
        article("Eyethu", f"{word} kubulawa isaguga eMbali", text, language="zu") for word in ("Isi", "Amanxeba")
    )

    assert summary(story(off), by_id(off), language="zu", title=off.title) == ()
    assert texts(summary(story(on), by_id(on), language="zu", title=on.title)) == [text]


def test_a_claim_that_is_checked_is_not_told():
    body = "A rumour went round in Bern on Monday.\nClaim\nThe bridge over the Aar was sold to a bank for $17 million."
    one = article("Check", "Was the bridge sold?", body)

    assert not any("sold" in text for text in texts(summary(story(one), by_id(one))))


def test_what_a_model_may_use_of_an_article_stays_under_the_limit_with_what_is_quoted():
    lines = [
        f"In district {n} of Bern, {n} engineers looked at bridges {'and at their pillars ' * 5}." for n in range(9)
    ]
    reports = [article(f"P{n}", "Bridges are looked at", "\n".join(lines)) for n in range(2)]
    quoted = tuple(make_sentence(reports[0], reports[0].text.index(line), line) for line in lines[:3])

    found = collect_prompt_sources(story(*reports), by_id(*reports), language="en", quoted=quoted)

    for each in reports:
        own = {s.offset: display_length(s.text) for s in (*quoted, *found) if s.article_id == each.id}
        assert 0 < sum(own.values()) <= MAX_QUOTED_WIDTH


def test_the_headline_is_a_title_that_tells_not_one_that_asks_or_teases():
    titles = [
        "Why did the Bern bridge fall?",
        "What we know about the Bern bridge",
        "Bridge in Bern collapses, killing twelve people",
    ]
    reports = [article(f"Paper {n}", title, BRIDGE, hours=n) for n, title in enumerate(titles)]

    assert headline(story(*reports), by_id(*reports)).text == titles[2]


def test_the_headline_loses_the_outlets_name_and_nothing_else():
    one = article("Der Bund", "Bridge in Bern collapses – two sisters saved | Der Bund", BRIDGE)

    assert headline(story(one), by_id(one)).text == "Bridge in Bern collapses – two sisters saved"


@pytest.mark.parametrize(
    ("outlet", "end", "goes"),
    [
        ("The Aare Post", " - Aare Post", True),
        ("The Aare Post", " | Aare Post News", True),
        ("aarepost.example", " - AarePost.example news", True),
        ("The Aare Post", " - msnNOW", True),
        ("The Aare Post", " - good news", False),
        ("The Aare Post", " - news", False),
    ],
)
def test_a_headline_loses_an_outlets_name_in_each_of_its_forms(outlet, end, goes):
    title = f"Bridge in Bern collapses, killing twelve people{end}"
    one = article(outlet, title, BRIDGE)

    assert headline(story(one), by_id(one)).text == (title.removesuffix(end) if goes else title)


@pytest.mark.parametrize(
    ("language", "title", "clear"),
    [
        ("en", "Is the bridge safe?", False),
        ("en", "Your bridge tax explained", False),
        ("de", "Wie es mit der Brücke weitergeht", False),
        ("fr", "Voici ce qui change pour le pont de Berne", False),
        ("es", "¿Qué pasa con el puente?", False),
        ("en", "Mayor says the bridge in Bern is ‘safe", False),
        ("en", "Mayor on the bridge in Bern: ‘It did not even…’", False),
        ("en", "Mayor calls Bern’s bridge ‘safe’", True),
        ("en", "Bridge in Bern collapses, killing twelve people", True),
        ("de", "Bürgermeister nennt die Brücke ‚sicher‘", True),
        ("de", "Brücke in Bern stürzt ein, zwölf Tote", True),
        ("en", "Storm over the harbour: what we know so far", False),
        ("en", "Storm closes the harbour – here's why", False),
        ("en", "Five things to know about the harbour toll", False),
        ("de", "Sturm am Hafen: Was wir wissen", False),
        ("ru", "Шторм в порту: что известно", False),
        ("en", "Mayor names five reasons to close the harbour", True),
        ("en", "HH the Amir of Brindle Receives Phone Call from President of Lindow", False),
        ("en", "Minister of Foreign Affairs Receives Two Calls from Lindow and Sund", False),
        ("ar", "سمو الأمير يتلقى اتصالا هاتفيا من الرئيس", False),
        ("en", "Presidents of Brindle and Lindow hold phone call to discuss dam", True),
        ("en", "Mother receives call from kidnapped son", True),
        ("en", "Gas leak in Bern: how the vapour harms the lungs", False),
        ("de", "Nach dem Einsturz – so geht es für die Händler weiter", False),
        ("fr", "Pont de Berne : comment les secours ont travaillé", False),
        ("en", "Fever in Bern: WHO warns of a second wave", True),
        ("de", 'Helfer in Bern: "Was droht, ist noch mehr Leid"', True),
        ("en", "Bridge in Bern falls into the river - video", True),
    ],
)
def test_questions_teasers_explainers_and_what_breaks_off_are_not_clear(language, title, clear):
    assert is_informative(title, language) is clear


PIECES = st.sampled_from(
    [
        "A bridge over the Aar fell on Monday, killing 12 people in Bern.",
        "“We heard a crash,” said Rosa Keller, who lives beside the bridge in the old town.",
        "橋が崩落し、十二人が死亡した。",
        "He wept.",
        "BERN (AFP) — ",
        "Read more",
        "\n",
        " ",
        "…",
        "5.",
        "\u200b",
    ]
)


@given(
    st.lists(st.lists(PIECES, max_size=12).map("".join), min_size=1, max_size=4),
    st.sampled_from(["en", "ja", "th", "und"]),
)
@pytest.mark.slow
def test_summaries_are_verbatim_whatever_the_text(bodies, language):
    reports = [article(f"P{n}", f"Title number {n}", body, language=language) for n, body in enumerate(bodies)]
    articles = by_id(*reports)

    found = summary(story(*reports), articles, language="en")

    assert verbatim(found, articles)
    assert sum(display_length(s.text) for s in found) <= MAX_WIDTH
    assert found == summary(story(*reports), articles, language="en")


@pytest.mark.parametrize(
    ("told", "language", "shown"),
    [
        ("Bridge over the Aar collapses in Bern and kills 12", "en", "the text's"),
        (
            "Brücke über die Aare in Bern eingestürzt, zwölf Tote",
            "de",
            "the headline's",
        ),  # which the reader cannot read
    ],
)
def test_a_headline_without_a_text_is_the_storys_only_if_no_text_has_one_that_can_be_read(told, language, shown):
    text = BRIDGE if language == "en" else GERMAN
    whole = article("Bund", told, text, language=language, hours=1)
    bare = [article(f"P{n}", f"Twelve dead as Aar bridge collapses in Bern, {n} missing", "", hours=n) for n in (2, 3)]
    articles = by_id(whole, *bare)

    found = headline(story(whole, *bare), articles)

    assert (found.article == whole) == (shown == "the text's")


def test_a_headline_without_a_text_comes_before_one_that_only_asks():
    asks = article("Bund", "Why did the Aar bridge in Bern collapse?", BRIDGE)
    bare = [article(f"P{n}", f"Twelve dead as Aar bridge collapses in Bern, {n} missing", "", hours=n) for n in (2, 3)]

    found = headline(story(asks, *bare), by_id(asks, *bare))

    assert found is not None and found.article in bare


def test_a_headline_without_a_text_is_quoted_by_no_summary():
    whole = article("Bund", "Bridge collapses in Bern", BRIDGE)
    bare = article("Zeit", "Aar bridge in Bern: at least 14 people were killed on Monday, police said.", "")
    articles = by_id(whole, bare)

    found = summary(story(whole, bare), articles, title=bare.title)

    assert {sentence.article_id for sentence in found} == {whole.id}
    assert summary(story(bare), by_id(bare), title=bare.title) == ()


ATTACK = "Gunmen crossed the border at dawn and killed at least {n} people in towns near Lunden, the army said."
SWAP = "A prisoner swap worth six billion was agreed with Orlen in August, and its critics speak of it again."


def test_the_headline_is_the_title_that_has_most_in_common_with_the_others_not_the_first():
    titles = [
        "Orlen prisoner swap for six billion in spotlight after gunmen attack Lunden",
        "Gunmen attack towns near Lunden, hundreds killed",
        "Hundreds killed as gunmen attack towns near Lunden",
        "Army says gunmen killed hundreds in attack near Lunden",
        "Schools in Lunden closed after gunmen attack towns",
    ]
    bodies = [f"{ATTACK.format(n=250)} {SWAP}", *[f"{ATTACK.format(n=250 + n)} {SWAP}" for n in range(4)]]
    reports = [
        article(f"P{n}", title, body, hours=n) for n, (title, body) in enumerate(zip(titles, bodies, strict=True))
    ]

    assert headline(story(*reports), by_id(*reports)).text in titles[1:4]


def test_of_titles_that_say_the_same_the_freshest_is_the_headline():
    title = "Bridge over the river Aar collapses in Bern"
    reports = [article(f"Paper {n}", title, BRIDGE, hours=n) for n in range(3)]

    assert headline(story(*reports), by_id(*reports)).article == reports[2]


@pytest.mark.parametrize("values", [{"host": "www.reuters.com"}, {"agency": "Reuters"}])
def test_of_titles_that_say_the_same_one_above_an_agencys_text_is_the_headline(values):
    titles = [
        "Bridge collapses in Bern, 12 dead",
        "Bridge in Bern collapses, 12 dead",
        "Bern: bridge collapses, 12 dead",
    ]
    reports = [article(f"Paper {hour}", title, OTHER, hours=hour) for hour, title in enumerate(titles)]
    wire = dataclasses.replace(reports[1], **values)
    told = [reports[0], wire, reports[2]]

    assert headline(story(*told), by_id(*told)).text == titles[1]
    assert headline(story(*reports), by_id(*reports)).text == titles[2]
    told[1] = dataclasses.replace(wire, title=titles[1].replace("12", "9"))
    assert headline(story(*told), by_id(*told)).text == titles[2]


def test_if_a_story_has_moved_the_newest_event_is_its_headline():
    march = [
        article(f"M{n}", f"Thousands march in Lunden against police violence {n}", MARCH, hours=n) for n in range(7)
    ]
    army = [
        article("A0", "President threatens to send the army against protests", ARMY, hours=20),
        article("A1", "President threatens to send army to end protests", ARMY, hours=21),
        article("A2", "President threatens to send the army to Lunden protests", ARMY, hours=22),
    ]
    everything, articles = story(*march, *army), by_id(*march, *army)

    found = headline(everything, articles)
    told = summary(everything, articles, title=found.text)

    assert "army" in found.text
    assert texts(told)[0].startswith("The president said")


MARCH = "Thousands of people marched through Lunden on Sunday against violence of the police, organisers said."
ARMY = "The president said on Monday night that the army would be sent to Lunden if the protests did not end."


def test_late_reports_on_several_things_do_not_move_a_story():
    titles = [f"Bridge over the river Aar collapses in Bern, {n} dead" for n in range(10, 17)]
    titles += ["Baker of Bern saw it all", "Football match is put off", "Insurers count their losses"]
    reports = [article(f"Paper {n}", title, BRIDGE, hours=n) for n, title in enumerate(titles)]

    assert headline(story(*reports), by_id(*reports)).text in titles[:7]


def test_a_sentence_is_of_the_state_that_the_headline_tells():
    doubt = "The president said that the leader of Orlen is dead, and there was no official word from Orlen about it."
    sure = "State television of Orlen said on Sunday that the leader of Orlen is dead, and read a statement about it."
    early = [
        article(f"E{n}", "President says leader of Orlen is dead, no official word", doubt, hours=n) for n in range(3)
    ]
    late = article("L0", "State television says leader of Orlen is dead", sure, hours=9)
    bare = article("L1", "Leader of Orlen is dead, state television says", "", hours=10)
    everything, articles = story(*early, late, bare), by_id(*early, late, bare)

    found = summary(everything, articles, title=bare.title)

    assert texts(found) == [sure]


def test_a_copy_is_neither_headline_nor_quoted_beside_its_origin():
    wire = article("AFP", "Bridge collapses in Bern, killing twelve", BRIDGE, agency="AFP", hours=1)
    title = "Bridge over the river Aar in Bern collapses"
    copies = [article(f"Paper {n}", title, BRIDGE, hours=2 + n) for n in range(3)]
    own = article("Bund", "Cracks in Bern bridge were known", OTHER, hours=9)
    everything, articles = story([wire, *copies], own, agency="AFP"), by_id(wire, *copies, own)

    found = headline(everything, articles)
    told = summary(everything, articles)

    assert found.article in (wire, own)
    assert {sentence.outlet for sentence in told} <= {"AFP", "Bund"}


def test_who_carries_anothers_headline_is_neither_headline_nor_quoted_beside_it():
    title = "Bridge collapses in Swiss capital, and 12 are dead as rescuers search the river Aar"
    teaser = "Two engineers had warned of cracks in the bridge over the Aar in a report to the canton of Bern."
    first = article("Bund", title, BRIDGE, hours=3)
    again = article("Echo", title, teaser, hours=9)

    def tellers(*reports):
        chosen = headline(story(*reports), by_id(*reports))
        quoted = summary(story(*reports), by_id(*reports), title=chosen.text)
        return {chosen.article.outlet, *(sentence.outlet for sentence in quoted)}

    assert tellers(again) == {"Echo"}
    assert tellers(first, again) == {"Bund"}


def test_a_copy_is_quoted_if_no_sentence_of_its_origin_can_be():
    wire = article(
        "AFP", "Bridge collapses in Bern", f"By Anna Meier and Jan Keller Divers {BRIDGE[2:60]}", agency="AFP"
    )
    copy = article("Bund", "Bridge falls in Bern", BRIDGE, hours=13)

    found = summary(story([wire, copy], agency="AFP"), by_id(wire, copy))

    assert {sentence.outlet for sentence in found} == {"Bund"}


@pytest.mark.parametrize(
    ("language", "text"),
    [
        ("en", "The singer was also arrested on Feb. 17 after a fight with two men in a bar of the harbour."),
        ("en", "The police of the canton said that two men who had been in the bar were arrested as well."),
        ("en", "The 26-year-old singer is fresh from her part in a series that nobody thought would be a hit."),
        ("de", "Der 26-Jährige kommt gerade von den Dreharbeiten zu einer Serie über den Hafen von Bern zurück."),
        ("fr", "La chanteuse a aussi été arrêtée le 17 février après une bagarre avec deux hommes dans un bar."),
    ],
)
def test_a_first_sentence_that_leans_on_what_was_said_before_is_not_quoted(language, text):
    only = article("Bund", "Singer Anna Marsk is arrested in Bern", text, language=language)

    assert texts(summary(story(only), by_id(only), language=language, title=only.title)) == []


def test_a_title_that_ends_in_who_says_so_gives_way_to_one_that_says_it_is_so():
    titles = [
        "Bridge over the river Aar in Bern has collapsed, mayor says",
        "Bridge over river Aar in Bern collapsed, engineers of canton confirm",
        "Bridge over the river Aar in Bern confirmed collapsed: mayor",
    ]
    reports = [article(f"P{n}", title, BRIDGE, hours=n) for n, title in enumerate(titles)]

    assert headline(story(*reports), by_id(*reports)).text == titles[1]


def test_a_title_of_what_is_planned_gives_way_to_one_of_what_was_done():
    done, planned = "Ministers raise $8bn for the vaccine", "Ministers will raise $8bn for the vaccine at a conference"
    reports = [article("Post", planned, hours=9), article("Sun", done, hours=8), article("Echo", planned, hours=10)]

    assert headline(story(*reports), by_id(*reports)).text == done


def test_a_report_that_begins_with_what_the_headline_says_is_not_quoted_from_further_down_before_others():
    title = "Leader of Lunden is dead, state media confirm"
    text = (
        "State media in the capital confirmed on Sunday that the old leader of Lunden is dead after rumours.\n"
        "The president of Carrow had declared in the evening that the old man was buried under his palace."
    )
    reports = [article(f"P{n}", title, text, hours=n) for n in range(3)]

    told = summary(story(*reports), by_id(*reports), title=title)

    assert texts(told)[0].startswith("State media in the capital confirmed")


def test_a_sentence_without_a_word_of_the_headline_gives_way_to_one_that_has_some():
    title = "Fashion chain Marsk files for bankruptcy in Lindow"
    loose = "Preppy clothier, loaded with debt, is the first large retailer to collapse since the shops were shut."
    near = "Marsk Group, which runs forty shops, became the first large retailer to file for bankruptcy protection."
    reports = (
        article("Post", title, "", hours=9),
        article("Herald", "Fashion chain Marsk is bankrupt in Lindow", loose, hours=10),
        article("Wire", "Lindow: chain of shops gives up", near, hours=11),
    )

    assert texts(summary(story(*reports), by_id(*reports), title=title)) == [near]
    assert texts(summary(story(*reports[:2]), by_id(*reports[:2]), title=title)) == [loose]


def test_a_sentence_beside_the_headlines_point_gives_way_to_one_of_another_report_that_tells_it():
    title = "Carrow vows revenge for the killing of leader Anton Marsk"
    names = "Thousands of people in Lunden protested on Sunday against the killing of Carrow's leader Anton Marsk."
    act = "The president of Carrow vowed revenge for the killing of Anton Marsk, and called it a declaration of war."
    frequencies = {"en": {"carrow": 0.6, "killed": 0.4, "killin": 0.4, "leader": 0.4, "anton": 0.4, "marsk": 0.4}}
    reports = [article("Post", title, names, hours=2)]
    reports += [article("Herald", "Carrow vows revenge for Anton Marsk", act, hours=1)]
    told, articles = story(*reports), by_id(*reports)
    choose = partial(choose_summary, told, articles, agreement(told, articles), languages=("en",), title=title)

    assert texts(choose(frequencies=frequencies)) == [act]
    assert texts(choose()) == [names]
