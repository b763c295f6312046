"""Pages that hold no article, articles that end at a paywall, pages about something else than their feed entry."""

from __future__ import annotations

import pytest
from lxml import html

from watcher.clean.article import clean
from watcher.clean.reject import is_truncated, matches_feed_entry, paywall_of, rejection_reason
from watcher.failure_messages import PageKind
from watcher.model import Block


def why(title: str, *lines: str) -> PageKind | None:
    return rejection_reason(tuple(Block(text=line) for line in lines), title=title, bare="\n".join((title, *lines)))


@pytest.mark.parametrize(
    "lines",
    [
        ("We value your privacy", "We and our 812 partners store and access information on a device, such as cookies."),
        (
            "Wir und unsere 213 Partner speichern Daten auf einem Gerät, z. B. Kennungen in Cookies.",
            "Zustimmen",
        ),
        ("Weiter mit Werbung. Besuchen Sie uns wie gewohnt mit Werbung und üblichem Tracking.",),
        ("Wenn Sie unsere Seiten nutzen, verwenden wir Cookies, um sie Ihnen bereitzustellen.", "Alle akzeptieren"),
        ("Avec votre accord, nos 812 partenaires et nous utilisons des cookies.", "Tout accepter"),
        ("Click 'I agree' to allow us and our partners to use cookies and similar technologies on your device.",),
        ("Cliquez sur J'accepte afin d'autoriser nos partenaires à utiliser des cookies et technologies similaires.",),
        ("Nosotros y nuestros 812 socios almacenamos información en un dispositivo, tales como cookies.", "Aceptar"),
        ("Noi e i nostri 812 fornitori archiviamo informazioni quali cookie su un dispositivo.", "Accetta e continua"),
        ("Wij en onze 812 partners slaan informatie op een apparaat op, zoals cookies.", "Akkoord"),
        ("My i nasi 812 partnerzy przechowujemy informacje na urządzeniu, takie jak pliki cookie.", "Akceptuję"),
        ("Vi och våra 812 partner lagrar information på en enhet, till exempel kakor.", "Acceptera alla"),
        ("Vi og våre 812 partnere lagrer informasjon på en enhet, som informasjonskapsler.", "Godta alle"),
        ("My a našich 812 partnerů ukládáme informace na zařízení, jako jsou soubory cookie.", "Souhlasím"),
        ("Nós e os nossos 812 parceiros armazenamos informações num dispositivo, como cookies.", "Aceitar"),
        ("Мы используем файлы cookie, чтобы сайт работал лучше для каждого из вас.", "Принять"),
        ("当サイトではクッキーを使用しています。続行するには同意が必要です。読み進める前にご確認ください。",),
    ],
)
def test_a_page_that_asks_for_consent_is_a_consent_wall(lines: tuple[str, ...]) -> None:
    assert why("news.example", *lines) is PageKind.CONSENT_WALL


@pytest.mark.parametrize(
    ("title", "line"),
    [
        ("Just a moment...", "Enable JavaScript and cookies to continue"),
        ("Einen Moment, bitte …", "Verifizieren Sie, dass Sie ein Mensch sind."),
        ("Un momento…", "Verificando que usted es humano. Esto puede tardar unos segundos."),
        ("Access Denied", "You don't have permission to access this page on this server. Reference #18.4e"),
        ("Attention Required! | Cloudflare", "Sorry, you have been blocked. You are unable to access news.example"),
        ("news.example", "Please verify you are a human. Access is denied as we think that you use a program."),
        ("Human Verification", "Let's confirm you are human. Complete the security check before continuing."),
        ("Vérification", "Nous vérifions que vous n'êtes pas un robot. Veuillez patienter."),
        ("DDoS-Guard", "Проверка браузера перед переходом на сайт"),
        ("Robot or human?", "Activate and hold the button to confirm that you’re human."),
        ("Are you a robot?", "We've detected unusual activity from your network. To continue, click the box below."),
        ("news.example", "Please enable JS and disable any ad blocker"),
        ("Client Challenge", "JavaScript is disabled in your browser. Please enable JavaScript to proceed."),
        ("Security Check", "このページにアクセスするには、ロボットでないことを確認してください"),
        ("安全验证", "请完成安全验证后继续访问，确认您不是机器人"),
        ("Pardon Our Interruption", "Something about your browser made us think you were a bot."),
    ],
)
def test_a_page_that_asks_for_a_human_is_a_check_for_robots(title: str, line: str) -> None:
    assert why(title, line) is PageKind.ROBOT_CHECK


@pytest.mark.parametrize(
    ("title", "line"),
    [
        ("Page not found", "The page you are looking for could not be found, or it never was there."),
        ("404", "Oops! That page can’t be found. Maybe a search would help you further?"),
        ("Fehler 404", "Diese Seite existiert nicht. Vielleicht hilft Ihnen die Startseite weiter."),
        ("Erreur 404", "La page demandée n'existe pas. Vous pouvez revenir à la page d'accueil du site."),
        ("Error 404 - Not Found", "Sorry, there is nothing to be seen at this address any more."),
        ("503 Service Temporarily Unavailable", "The server is busy and will be back in some minutes."),
        ("Página no encontrada", "No encontramos lo que busca. Pruebe con el buscador de la portada."),
        ("Sivua ei löytynyt", "Hakemaasi sivua ei löytynyt. Kokeile hakua tai palaa etusivulle."),
        ("Siden ble ikke funnet", "Beklager, vi finner ikke siden du leter etter. Prøv forsiden vår."),
        ("Stránka nenalezena", "Omlouváme se, požadovaná stránka nebyla nalezena. Zkuste hledání."),
        ("Sayfa bulunamadı", "Aradığınız sayfa bulunamadı veya kaldırıldı. Ana sayfaya dönün."),
        ("الصفحة غير موجودة", "عذرا، الصفحة التي تبحث عنها غير موجودة في هذا الموقع"),
        ("news.example", "This article is no longer available. You may find others on our front page."),
        ("Das Blatt", "Dieser Artikel ist nicht mehr verfügbar. Auf der Startseite finden Sie andere."),
    ],
)
def test_a_page_that_says_it_is_not_there_is_none(title: str, line: str) -> None:
    assert why(title, line) is PageKind.MISSING


@pytest.mark.parametrize(
    "lines",
    [
        ("Subscribe to continue reading. Get access for one dollar a week.", "Already a subscriber? Sign in."),
        ("Dieser Artikel ist nur für Abonnenten. Jetzt testen und weiterlesen.", "Sie haben ein Abo? Anmelden."),
        ("Cet article est réservé aux abonnés. Abonnez-vous pour lire la suite à partir de 1 € par mois.",),
        ("この記事は会員限定です。電子版に登録すると続きをお読みいただけます。無料で登録できます。",),
    ],
)
def test_a_page_that_holds_only_its_offer_has_no_article(lines: tuple[str, ...]) -> None:
    assert why("The bridge", *lines) is PageKind.PAYWALL


def test_a_page_that_needs_scripts_says_so() -> None:
    assert why("news", "You need to enable JavaScript to run this app.") is PageKind.NEEDS_JAVASCRIPT
    assert (
        rejection_reason((), title="news", bare="Please enable JavaScript to view this site")
        is PageKind.NEEDS_JAVASCRIPT
    )


@pytest.mark.parametrize(
    "lines",
    [
        ("Your browser isnt supported anymore. Update it for the best experience. Learn more", "Remind me later"),
        ("Your browser can't play this video.", "Learn more"),
        ("Ihr Browser wird leider nicht mehr unterstützt. Bitte nutzen Sie eine aktuelle Version von Firefox.",),
        ("Votre navigateur n’est plus pris en charge. Mettez-le à jour pour profiter de toutes nos vidéos.",),
        ("Tu navegador ya no es compatible con este reproductor. Actualízalo para ver el vídeo completo.",),
        ("Ваш браузер больше не поддерживается. Обновите его, чтобы смотреть видео на нашем сайте.",),
        ("您的浏览器版本过低，请升级浏览器后再访问本网站，以便观看视频和阅读完整内容。谢谢您的理解与支持。",),
    ],
)
def test_a_page_that_only_asks_for_a_newer_browser_has_no_article(lines: tuple[str, ...]) -> None:
    assert why("The bridge", *lines) is PageKind.NEEDS_JAVASCRIPT


def test_an_article_below_a_note_on_the_browser_is_one() -> None:
    article = "The bridge over the Aare was closed on Monday after an inspector had found cracks in two piers. " * 4

    assert why("The bridge", "Your browser is not supported by this site.", article) is None


def test_a_caption_is_no_article() -> None:
    assert why("Ferry", "The ferry.") is PageKind.NO_TEXT


COOKIES = (
    "The end of third-party cookies has been put off again, the company said on Monday, as regulators asked for time.",
    "Publishers said that they would wait: accept all cookies is still the most clicked button of all the web.",
    "Others have long turned to subscriptions, and see their numbers grow.",
)


@pytest.mark.parametrize(
    ("title", "lines"),
    [
        ("Why cookies crumble", COOKIES),
        ("Firm sold", ("A firm whose tests verify you are human was sold on Monday, its founder said at the quay.",)),
        ("Access denied: how a town lost its beach", ("The owner shut the path on Monday and put up a gate.",)),
        ("404 Media opens an office in the town", ("The outlet will hire twelve reporters, it said on Monday.",)),
        ("500 people march to the harbour", ("They asked for the ferry to run again, the police said on Monday.",)),
        ("Just a moment of peace on the quay", ("The band played until midnight, and nobody went home before.",)),
        ("The bridge", ("The council met on Monday and put off the bridge.", "Subscribe to continue reading")),
        ("JavaScript turns thirty", ("JavaScript is the language of the web, and thirty years old on Monday. " * 3,)),
    ],
)
def test_an_article_about_such_things_is_an_article(title: str, lines: tuple[str, ...]) -> None:
    assert why(title, *lines) is None


@pytest.mark.parametrize(
    "evil", ["8 a " * 300, "please " * 80, "cookies " * 180, "404 " * 150, "\n" * 500, "we use " * 200]
)
def test_a_hostile_page_takes_no_time(evil: str) -> None:
    why(evil, evil)


FIRST = "The council argued for four hours about the new bridge at the old market, and put the decision off to March."
SECOND = "The cost has grown by half since the first plan, to thirty million, which the treasurer called far too much."


def lock(behind: str, *, head: str = "", times: int = 1) -> str:
    body = f"<p>{FIRST}</p><p>{SECOND}</p>" * times
    page = f"<html><head>{head}</head><body><article>{body}{behind}</article></body></html>"
    return paywall_of(html.document_fromstring(page), (Block(text=FIRST), Block(text=SECOND)) * times)


@pytest.mark.parametrize(
    "note",
    [
        "Subscribe to continue reading",
        "Sign in to continue reading this article",
        "This content is reserved for subscribers",
        "Jetzt weiterlesen",
        "Weiterlesen mit Kreisblatt Plus",
        "Il vous reste 57.09% de cet article à lire. La suite est réservée aux abonnés.",
        "Suscríbete para seguir leyendo",
        "Conteúdo exclusivo para assinantes",
        "Per continuare a leggere, abbonati",
        "Lees verder met een abonnement",
        "Läs vidare med ett abonnemang",
        "Les videre med abonnement",
        "Pozostało 80% treści",
        "Читать далее по подписке",
        "この記事は会員限定です",
        "残り1,204文字",
        "訂閱後繼續閱讀",
    ],
)
def test_a_note_behind_the_text_says_that_the_rest_is_for_subscribers(note: str) -> None:
    assert lock(f'<div class="wall"><p>{note}</p></div>') == "noted"


@pytest.mark.parametrize(
    "behind",
    [
        "<p>Subscribe to our newsletter</p>",
        "<ul><li>Réservé aux abonnés</li></ul>",
        "<p>Read more about the bridge</p>",
        "<p>会員登録</p>",
        "<p>Another story</p>" * 30 + "<p>Subscribe to continue reading</p>",
    ],
)
def test_a_label_a_newsletter_or_a_note_far_away_does_not(behind: str) -> None:
    assert lock(behind) == ""


def test_the_data_of_a_page_can_say_it() -> None:
    assert lock("", head='<script type="application/ld+json">{"isAccessibleForFree": false}</script>') == "said"
    assert lock("", head='<script type="application/ld+json">{"isAccessibleForFree": true}</script>') == ""


def test_a_long_text_is_whole_whatever_is_offered_behind_it() -> None:
    assert lock("<p>Subscribe to continue reading</p>", times=20) == ""


def test_a_short_text_before_a_note_is_a_beginning() -> None:
    blocks = (Block(text=FIRST), Block(text=SECOND))

    assert is_truncated(blocks, paywall="noted")
    assert not is_truncated(blocks * 10, paywall="noted")
    assert not is_truncated(blocks, paywall="")
    assert is_truncated(blocks, paywall="said")
    assert not is_truncated(blocks * 5, paywall="said")


@pytest.mark.parametrize("end", ["and the …", "and the treasurer [...]", "The treas[…]", "He said [+2043 chars]"])
def test_a_text_that_is_cut_with_dots_is_a_beginning(end: str) -> None:
    assert is_truncated((Block(text=FIRST), Block(text=end)), paywall="")


@pytest.mark.parametrize("end", ["Who knows…", "And so on...", "He said: “Who knows…”", "The end."])
def test_dots_behind_a_word_are_style_unless_the_page_is_locked(end: str) -> None:
    assert not is_truncated((Block(text=FIRST),) * 8 + (Block(text=end),), paywall="")


def test_dots_behind_a_word_of_a_locked_page_are_a_cut() -> None:
    blocks = (Block(text=FIRST),) * 8 + (Block(text="And so on..."),)

    assert is_truncated(blocks, paywall="said")
    assert not is_truncated(blocks[:-1], paywall="said")


def test_a_note_among_the_last_blocks_is_believed_at_any_length() -> None:
    blocks = (Block(text=FIRST),) * 40

    assert is_truncated(blocks, paywall="", raw=(*blocks, Block(text="Il vous reste 30% de cet article à lire.")))


def test_an_article_that_ends_at_a_paywall_is_told_so() -> None:
    page = f"<html><body><article><h1>Bridge</h1><p>{FIRST}</p><p>{SECOND}</p><div>Subscribe to continue reading</div>"

    cleaned = clean(page, url="https://news.example/a")

    assert cleaned.is_truncated
    assert FIRST in cleaned.text
    assert "Subscribe" not in cleaned.text


TEXT = "The ferry between the two towns runs again after the harbour office had its engine repaired over the winter."


@pytest.mark.parametrize(
    ("title", "summary", "language"),
    [
        ("Ferry runs again after winter repairs", "Harbour office repaired engine.", "en"),
        ("Fähre", "", "de"),
        ("", "", "und"),
    ],
    ids=["its own words", "too few words", "no words"],
)
def test_a_text_that_shares_words_or_a_feed_that_says_little_raises_no_alarm(title, summary, language):
    assert matches_feed_entry(TEXT, title=title, summary=summary, language=language)


def test_a_text_without_a_word_of_the_feeds_is_another():
    told = {"title": "Parliament passes budget", "summary": "Lawmakers voted for pensions and defence spending."}

    assert not matches_feed_entry(TEXT, **told, language="en")


ABOUT = "The harbour office repaired the engine of the ferry, which runs between the two towns again."
FERRY = "".join(f"<p>{TEXT} It is the {at}th winter.</p>" for at in range(9))
BUDGET = "".join(f"<p>Lawmakers voted on pensions and defence for the {at}th time this year.</p>" for at in range(9))
PRELUDE = "".join(f"<p>Lawmakers voted on pensions and defence for the {at}th time this year.</p>" for at in range(30))


@pytest.mark.parametrize(
    ("body", "word_count", "kind"),
    [
        (FERRY, 190, "article"),
        (f"<p>{TEXT}</p><div>Loading paragraph...</div>", 900, "doubtful"),
        (BUDGET, 0, "doubtful"),
        (f"{PRELUDE}{FERRY}", 0, "article"),
        (f"<p>{TEXT}</p><div>Subscribe to continue reading</div>", 900, "article"),
    ],
    ids=[
        "the whole text",
        "fewer than the data count",
        "teasers of other articles",
        "a late subject",
        "a paywall, which is known",
    ],
)
@pytest.mark.slow
def test_a_text_that_the_pages_own_data_contradict_is_doubtful(body: str, word_count: int, kind: str) -> None:
    data = f'<script type="application/ld+json">{{"@type": "NewsArticle", "wordCount": {word_count}}}</script>'
    head = f"<title>Ferry runs again after winter repairs</title><meta name='description' content='{ABOUT}'>{data}"

    cleaned = clean(f"<head>{head}</head><body><article>{body}</article></body>", url="https://news.example/a")

    assert cleaned.kind == kind
