"""Pages without an article: consent walls, bot checks, offers, error pages, empty ones; each with a reason in words."""

from __future__ import annotations

import re
from collections.abc import Sequence

from watcher.clean.phrases import key
from watcher.clean.truncated import is_note
from watcher.model import Block

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


def why_no_article(blocks: Sequence[Block], *, title: str, bare: str) -> str | None:
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
            return "a check for robots stands before the article"
        if size <= BRIEF and (ERROR.match(title) or ERROR.match(lines[0] if lines else "") or GONE.match(text)):
            return "the page says that it does not exist"
        if _is_consent(lines or bare.split("\n")):
            return "a consent wall stands before the article"
        if SCRIPTED.search(text or bare) and size <= PARAGRAPH:
            return "the page shows nothing without JavaScript"
        if size <= BRIEF and lines and _is_offer(lines):
            return "the article is for subscribers alone"
    if len(key("".join(lines)[:WALL_MAX])) < LEAST:
        return "the page has no text to speak of"
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
    return is_note(lines[0]) and sum(len(line) for line in lines if not is_note(line)) < PARAGRAPH
