"""Pages that are no article: walls, error pages, texts cut at a paywall, and pages about something else."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Literal

from lxml.etree import _Element

from watcher.clean.phrases import normalize_key
from watcher.model import Block
from watcher.reasons import PageKind
from watcher.text.words import stems, word_overlap

WALL_MAX = 1_500  # characters: a wall's own text is short, an article about cookies is long
BRIEF = 600  # characters of a check for robots, an error or an offer
LEAST = 30  # letters of an article: less is a caption
BUTTON = 60  # characters of a line that may be a button's
REST = 300  # characters of paragraphs that speak of nothing else: with more, the page is an article
PARAGRAPH = 80  # characters that make a line a paragraph
_PARTNERS = (
    r"(?:partner\w*|partenaires|socios|fornitori|parceiros|partnerz\w*|vendors|anbieter\w*|leveranciers|kumppani\w*)"
)
_COOKIES = (
    r"(?:cookie|device|gerät|appareil|dispositiv|apparaat|urządzeni|enhet|zařízení|informasjonskaps|kakor|eväste|çerez"
    r"|クッキー)"
)
# A wall speaks to its reader: "we and our 812 partners store …", "your privacy". An article on cookies does not.
CONSENT = re.compile(
    rf"\b\d{{1,4}} (?:\w+ ){{0,3}}{_PARTNERS}.{{0,300}}{_COOKIES}"
    rf"|{_COOKIES}.{{0,200}}\b\d{{1,4}} (?:\w+ ){{0,2}}{_PARTNERS}"
    r"|\bwe (?:value|respect|care about) your (?:data )?privacy|\b(?:manage|review) your (?:consent|privacy"
    r"|choices|preferences)"
    r"|\bwe (?:and our (?:\w+ )?(?:partners )?)?(?:use|store|access)\b.{0,60}\bcookies|your privacy choices"
    r"|before you continue"
    r"|\b(?:nous|nos (?:\d+ )?partenaires) .{0,40}(?:utilisons|stockons|déposons) .{0,40}cookies"
    r"|nous respectons votre vie privée"
    r"|continuer sans accepter|votre consentement"
    r"|(?:verwenden|nutzen|setzen) (?:wir|ihre partner) .{0,40}cookies|wir (?:verwenden|nutzen|setzen) .{0,40}cookies"
    r"|mit werbung (?:und tracking )?(?:weiterlesen|nutzen)|weiter mit werbung|ihre (?:privatsphäre|einwilligung)"
    r"|zustimmung erforderlich"
    r"|valoramos (?:su|tu) privacidad|(?:utilizamos|usamos) cookies|(?:su|tu) consentimiento"
    r"|rispettiamo la tua privacy|utilizziamo (?:i )?cookie|il tuo consenso|accetta e continua"
    r"|valorizamos a sua privacidade|o seu consentimento"
    r"|wij (?:gebruiken|plaatsen) .{0,20}cookies|(?:uw|jouw|je) (?:toestemming|privacy)|privacy gate"
    r"|vi (?:bruker|använder|bruger) .{0,30}(?:cookies|informasjonskapsler|kakor)|ditt samtycke|dit samtykke"
    r"|käytämme evästeitä"
    r"|szanujemy twoją prywatność|(?:używamy|wykorzystujemy) .{0,20}cookie|používáme (?:soubory )?cookie"
    r"|sütiket használunk"
    r"|мы используем (?:файлы )?cookie|ми використовуємо .{0,20}cookie|çerezleri? (?:kullan|kabul)"
    r"|χρησιμοποιούμε cookies"
    r"|(?:クッキー|cookie) ?(?:を使用|の使用)|我们使用.{0,6}cookie|쿠키를 사용|نستخدم ملفات تعريف الارتباط",
    re.IGNORECASE,
)
# The buttons of a consent wall, each alone on its line.
AGREE = re.compile(
    r"^\W*(?:accept(?: all)?(?: cookies)?|(?:i )?agree(?: and (?:continue|close))?|reject all|allow all"
    r"|cookie (?:consent|policy|settings)"
    r"|(?:alle )?(?:cookies )?(?:akzeptieren|annehmen|zustimmen)|tout accepter|accepter(?: et continuer)?"
    r"|aceptar(?: todo| cookies| y continuar)?"
    r"|accetta(?: tutti| i cookie)?|accepteren|alles accepteren|akkoord|acceptera alla|godkänn(?: cookies)?"
    r"|godta alle|accepter alle"
    r"|akceptuję|zgadzam się|souhlasím|aceitar|kabul et|принять)\W*$",
    re.IGNORECASE,
)
BOT = re.compile(
    r"(?:^|[.!?…:]\s+|\n)\W{0,6}(?:please |bitte |to continue,? )?(?:"
    r"checking (?:if the site connection is secure|your browser)|(?:verify(?:ing)?|confirm"
    r"|let['’]s confirm) (?:that )?(?:you['’]re|you are) (?:a |not a )?\w+"
    r"|are you a (?:human|robot)|robot or human|human verification|security (?:check|checkpoint)\W*(?:\n|$)"
    r"|enable js and disable any ad ?blocker"
    r"|enable javascript and cookies to continue|we(?:['’]ve| have) detected unusual (?:traffic|activity)"
    r"|attention required! \| cloudflare"
    r"|just a moment\.\.\.|access (?:to this page has been )?denied\W*(?:\n|$|because|you don)"
    r"|sorry, you have been blocked"
    r"|complete the security check|request unsuccessful\. incapsula|ddos[- ](?:protection by|guard)"
    r"|pardon our interruption"
    r"|(?:press|activate) (?:&|and) hold|client challenge\W*(?:\n|$)|(?:einen|nur einen) moment(?:, bitte)? ?(?:…"
    r"|\.\.\.)|un (?:instant|momento) ?(?:…|\.\.\.)"
    r"|(?:verifizieren|bestätigen) sie, dass sie (?:ein mensch|kein roboter)|verificando que (?:usted )?es humano"
    r"|verific\w+ que no eres un robot"
    r"|nous vérifions que vous n['’]êtes pas un robot|vérifi\w+ que vous êtes humain|проверка браузера"
    r"|подтвердите, что (?:вы не робот|запросы)"
    r"|ロボットでないことを|あなたが人間であることを|ロボットではありません|(?:请完成)?安全验证|请完成验证|請完成安全驗證"
    r"|로봇이 아님을)"
    r"|permission to access .{0,80}on this server|you(?:['’]re| are) not a (?:ro)?bot\b|made us think you (?:were"
    r"|are) a bot|using automation tools"
    r"|ロボットでないこと|確認您不是機器人|确认您不是机器人",
    re.IGNORECASE,
)
_CODE = r"(?:error |fehler |erreur |errore |błąd |chyba )?(?:http )?(?:404|403|410|429|500|502|503|504)"
ERROR = re.compile(
    rf"^\W*{_CODE}\W*(?:(?:page |file )?not found|forbidden|gone|(?:service )?(?:temporarily )?unavailable"
    rf"|(?:bad )?gateway"
    r"|(?:internal )?server error|too many requests|error|$).{0,40}$"
    r"|^.{0,30}(?:(?:this |the |that )?page (?:was |is )?(?:not found|(?:can(?:no|['’])t|could not) be found"
    r"|does not exist)"
    r"|(?:diese )?seite (?:wurde )?(?:nicht gefunden|existiert nicht)|page (?:introuvable|non trouvée)"
    r"|página no (?:encontrada|existe)"
    r"|página não (?:encontrada|existe)|pagina non (?:trovata|esiste)|pagina (?:werd )?niet gevonden|si(?:dan"
    r"|den) (?:hittades inte|ble ikke funnet"
    r"|blev ikke fundet|finnes ikke|findes ikke)|sivua ei löyt\w+|страница не (?:найдена|существует)"
    r"|сторінк[ау] не знайден\w+"
    r"|nie znaleziono strony|strona nie (?:istnieje|została znaleziona)|stránka (?:nenalezena|nebyla nalezena"
    r"|neexistuje|sa nenašla)"
    r"|az oldal nem található|pagina nu (?:a fost găsită|există)|stranica (?:nije pronađena|ne postoji)"
    r"|η σελίδα δεν βρέθηκε|sayfa bulunamadı"
    r"|الصفحة غير موجودة|صفحه (?:مورد نظر )?(?:پیدا نشد|یافت نشد)|הדף לא נמצא|पृष्ठ नहीं मिला"
    r"|halaman tidak ditemukan|không tìm thấy trang"
    r"|ページが見つかりません|页面不存在|找不到(?:该|此)?(?:页面|網頁|頁面)|페이지를 찾을 수 없습니다|ไม่พบหน้า)",
    re.IGNORECASE,
)
GONE = re.compile(
    r"^\W*(?:(?:this|the) (?:article|story|page|content) (?:is no longer|has been (?:removed|deleted)"
    r"|was (?:removed|deleted)|isn['’]t available)"
    r"|dieser (?:artikel|inhalt|beitrag) (?:ist nicht mehr|wurde (?:gelöscht|entfernt))|cet article n['’]est plus"
    r"|este (?:artículo|contenido) ya no"
    r"|este artigo já não|quest['’]articolo non è più|dit artikel is niet (?:meer|langer)"
    r"|denne artikel(?:en)? (?:er|findes|finnes) ikke|artikeln finns inte)"
    r".{0,80}$",
    re.IGNORECASE | re.MULTILINE,
)
SCRIPTED = re.compile(
    r"(?:enable|activate|turn on|requires?|aktivier\w*|activer|habilit\w+|attiv\w+) javascript|javascript (?:is"
    r"|ist|est|está) "
    r"|without javascript|enable js\b",
    re.IGNORECASE,
)


def rejection_reason(blocks: Sequence[Block], *, title: str, bare: str) -> PageKind | None:
    """
    Return why a page holds no article, None if it may hold one.

    Args:
        blocks: The main text as far as one was found.
        bare: The page's text without any judgement, its beginning at least; for what a wall says.
    """
    lines = [block.text for block in blocks]
    size = sum(map(len, lines))
    if size <= WALL_MAX:
        text = "\n".join(lines)
        about = f"{title}\n{text or bare}"[: WALL_MAX * 2]
        if size <= BRIEF and BOT.search(about):
            return PageKind.ROBOT_CHECK
        if size <= BRIEF and (ERROR.match(title) or ERROR.match(lines[0] if lines else "") or GONE.match(text)):
            return PageKind.MISSING
        if _is_consent(lines or bare.split("\n")):
            return PageKind.CONSENT_WALL
        if SCRIPTED.search(text or bare) and size <= PARAGRAPH:
            return PageKind.NEEDS_JAVASCRIPT
        if size <= BRIEF and lines and _is_offer(lines):
            return PageKind.PAYWALL
    if len(normalize_key("".join(lines)[:WALL_MAX])) < LEAST:
        return PageKind.NO_TEXT
    return None


def _is_consent(lines: Sequence[str]) -> bool:
    """Whether lines ask for consent and hardly a paragraph is left without those that do."""
    asks = [line for line in lines if CONSENT.search(line) or (len(line) <= BUTTON and AGREE.match(line))]
    if not any(CONSENT.search(line) for line in asks):
        return False
    rest = (line for line in lines if line not in asks and not re.search("cookie|privacy|datenschutz", line, re.I))
    return sum(len(line) for line in rest if len(line) > PARAGRAPH) < REST


def _is_offer(lines: Sequence[str]) -> bool:
    """Whether what the page shows of its article is the offer to buy it."""
    return is_paywall_note(lines[0]) and sum(len(line) for line in lines if not is_paywall_note(line)) < PARAGRAPH


Paywall = Literal["", "said", "noted"]  # nothing known; the page's data say so; a note on the page does

LONG = 3_000  # characters: a longer text is whole, or the note stands in it
SHORT = 1_500  # characters of a text that a note or dots make a beginning
SHORTER = 700  # characters of one that the page's data alone make one: many locked articles come whole
LABEL = 4  # characters: not more say nothing
NOTE_MAX = 300  # characters of a note
START = 12  # characters by which a block is found in the page
NEAR = 20  # texts behind the last block among which a note speaks of it
TAIL = 3  # blocks at the end in which a note says it of a text of any length
# What speaks of this article's rest; labels as "for subscribers" stand on teasers of other articles too.
NOTE = re.compile(
    r"(?:(?:subscribe|sign in|log in|register|sign up)(?: now)? to (?:continue|keep|read|unlock)"
    r"|to (?:continue|keep) reading|the rest of this (?:article|story)"
    r"|(?:unlock|read) (?:this|the full) (?:article|story) (?:with|by|for|and)"
    r"|this (?:content|article|story) is (?:reserved |exclusively )?(?:only )?(?:for|available to)"
    r" (?:our )?(?:paid )?(?:subscribers|members)"
    r"|(?:jetzt|artikel|hier) (?:kostenlos |mit \w+ )?(?:freischalten|weiterlesen)|weiterlesen mit|um weiterzulesen"
    r"|sie möchten (?:den artikel )?weiterlesen|dieser artikel ist (?:nur|exklusiv) für"
    r"|den (?:ganzen|vollständigen) artikel lesen"
    r"|il vous reste \d+(?:[.,]\d+)? ?% de cet article|la suite est réservée|pour lire la suite"
    r"|cet article est réservé"
    r"|(?:suscríbe\w*|regístr\w*|inicia sesión) para (?:seguir|continuar) leyendo|para (?:seguir|continuar) leyendo"
    r"|este (?:contenido|artículo) es exclusivo (?:para|de)|contenido exclusivo para suscriptores"
    r"|para continuar (?:a ler|lendo)|(?:conteúdo|matéria|artigo) exclusiv[oa] para (?:os )?assinantes"
    r"|per continuare a leggere|continua a leggere con|(?:contenuto|articolo) riservato agli abbonati"
    r"|(?:lees|lezen) (?:dit artikel )?verder (?:met|als)|om verder te lezen|alleen voor abonnees"
    r"|(?:läs|läsa) (?:vidare|hela artikeln) (?:med|för|genom)|för att läsa (?:vidare|hela)"
    r"|(?:les|lese|læs) (?:videre|hele saken) med|for å lese videre|denne artikel er for abonnenter"
    r"|lue koko (?:juttu|artikkeli) (?:tilaamalla|kirjautumalla)"
    r"|(?:pozostało|zostało) \d+ ?% (?:treści|artykułu)|aby (?:czytać|przeczytać) dalej"
    r"|dostępn\w+ tylko dla (?:prenumeratorów|subskrybentów)"
    r"|pro pokračování ve čtení|(?:celý|zbytek) článk\w+ (?:jen )?pro předplatitele|folytatás\w+ előfizetőink"
    r"|чита(?:ть|йте) далее по подписке|материал доступен (?:только )?(?:по подписке|подписчикам)"
    r"|devamını okumak için"
    r"|この記事は(?:有料)?会員限定|残り[:：]?\s?[\d,]+\s?文字|続きを(?:読む|ご覧)に?は|続きを読むには"
    r"|订阅后(?:继续|可)|付费后(?:继续|可)|訂閱(?:後|以)?繼續閱讀|전체 기사(?:를|는) (?:보려면|구독))",
    re.IGNORECASE,
)
# What each note has one of: looked for first, as it is cheap.
SIGNS = (
    "continue", "keep reading", "to read", "unlock", "rest of th", "for subscribers", "subscribers", "members",
    "weiterlesen", "weiterzulesen", "freischalten", "artikel", "il vous reste", "la suite", "est réservé", "leyendo",
    "exclusiv", "para continuar", "per continuare", "continua a", "riservato", "verder", "abonnees", "läs", "les",
    "lue koko", "pozostało", "zostało", "dalej", "dostępn", "pokračování", "předplatitele", "előfizet", "по подписке",
    "подписчикам", "okumak", "会員限定", "残り", "続きを", "订阅后", "付费后", "訂閱", "전체 기사",
)  # fmt: skip
PLACES = ("p", "div", "span", "h2", "h3", "h4", "strong", "b", "em", "a", "button", "br", "section", "li")
SAID = re.compile(r'"isAccessibleForFree"\s*:\s*"?false', re.IGNORECASE)
# "… of the bridge …", "the bri[...]", "[+2043 chars]": the text goes on elsewhere.
CUT = re.compile(r"(?:\[\s?(?:…|\.\.\.)\s?\]|\[\+\d+ \w+\]|(?<=\w) (?:…|\.{3,4}))$")
DOTS = re.compile(r"\w(?:…|\.\.\.)$")


def paywall_of(tree: _Element, blocks: Sequence[Block]) -> Paywall:
    """Return how a page tells that the rest of its article is for subscribers, empty if it does not."""
    if any(is_paywall_note(block.text) for block in blocks[-TAIL:]):
        return "noted"
    if sum(len(block.text) for block in blocks) > LONG:
        return ""
    body = next(iter(tree.iter("body")), tree)
    texts = [
        text for element in body.iter(*PLACES) for text in (element.text, element.tail) if text and len(text) > LABEL
    ]
    whole = "\n".join(texts).lower()
    if any(sign in whole for sign in SIGNS):
        starts = {block.text[:START] for block in blocks}
        last = max((at for at, text in enumerate(texts) if text.lstrip()[:START] in starts), default=-NEAR)
        if any(map(is_paywall_note, texts[last + 1 : last + NEAR])):
            return "noted"
    return "said" if any(SAID.search(script.text or "") for script in tree.iter("script")) else ""


def is_truncated(blocks: Sequence[Block], *, paywall: Paywall, raw: Sequence[Block] = ()) -> bool:
    """
    Return whether `blocks` are the beginning of an article whose rest is missing.

    Args:
        raw: The blocks before furniture was cut from them: a note among the last ones is believed at any length.
    """
    if any(is_paywall_note(block.text) for block in (*raw[-TAIL:], *blocks[-TAIL:])):
        return True
    size = sum(len(block.text) for block in blocks)
    last = blocks[-1].text.rstrip() if blocks else ""
    if size <= SHORT and (paywall == "noted" or CUT.search(last)):
        return True
    return bool(paywall) and size <= (SHORT if DOTS.search(last) else SHORTER)


def is_paywall_note(text: str) -> bool:
    """Whether `text` says that the rest of the article is for those who pay or sign in."""
    return len(text) <= NOTE_MAX and NOTE.search(text) is not None


FEW = 5  # different words of the feed: fewer say nothing
SHARED = 0.1  # of them that the text must hold; of 208 own texts one holds less, of 207 others' most do
LOOKED_AT_CHARS = 600  # of the feed's words: a long summary may go beyond a short page


def matches_feed_entry(text: str, *, title: str, summary: str, language: str) -> bool:
    """Whether `text` may be the article that a feed announced by `title` and `summary`."""
    told = f"{title} {summary}"[:LOOKED_AT_CHARS]
    return len(set(stems(told, language))) < FEW or word_overlap(told, text, language) >= SHARED
