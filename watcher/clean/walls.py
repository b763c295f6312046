"""Pages without an article: consent walls, bot checks, error pages, empty ones; each with a reason in words."""

from __future__ import annotations

import re
from collections.abc import Sequence

from watcher.clean.phrases import key
from watcher.model import Block

WALL_MAX = 1_500  # characters: a wall's own text is short, an article about cookies is long
LEAST = 30  # letters of an article: less is a caption
CONSENT = re.compile(
    r"(?:we value your privacy|before you continue|cookie (?:consent|policy|settings|preferences)"
    r"|accept (?:all )?cookies|use of cookies"
    r"|we (?:and our (?:\d+ )?partners )?(?:use|store) .{0,40}cookies|your privacy choices"
    r"|manage (?:your )?(?:consent|preferences)"
    r"|zustimmung erforderlich|mit werbung (?:und tracking )?weiterlesen|cookies akzeptieren|ihre privatsphäre"
    r"|einwilligung"
    r"|nous respectons votre vie privée|continuer sans accepter|gestion des cookies|valoramos (?:su"
    r"|tu) privacidad|aceptar cookies"
    r"|rispettiamo la tua privacy|accetta i cookie|accetta e continua|wij gebruiken cookies|cookies accepteren"
    r"|privacy gate"
    r"|vi bruker (?:informasjonskapsler|cookies)|vi använder cookies|godkänn cookies|käytämme evästeitä"
    r"|szanujemy twoją prywatność"
    r"|valorizamos a sua privacidade|мы используем (?:файлы )?cookie|çerez)",
    re.IGNORECASE,
)
BOT = re.compile(
    r"(?:checking (?:if the site connection is secure|your browser)|verify(?:ing)? (?:that )?you are (?:a )?human"
    r"|are you a (?:human|robot)"
    r"|enable javascript and cookies to continue|unusual (?:traffic|activity) from your"
    r"|attention required! \| cloudflare|just a moment\.\.\."
    r"|access (?:to this page has been )?denied|please complete the security check|captcha"
    r"|request unsuccessful\. incapsula|ddos protection by"
    r"|pardon our interruption|press (?:&|and) hold|bot protection|security checkpoint)",
    re.IGNORECASE,
)
ERROR = re.compile(
    r"^(?:\W*(?:error )?(?:404|403|410|500|502|503)\b|.{0,40}(?:page (?:not found|cannot be found|does not exist)"
    r"|seite nicht gefunden"
    r"|page introuvable|página no encontrada|página não encontrada|pagina non trovata|pagina niet gevonden"
    r"|sidan hittades inte"
    r"|страница не найдена|nie znaleziono strony|ページが見つかりません|页面不存在|페이지를 찾을 수 없습니다))",
    re.IGNORECASE,
)
SCRIPTED = re.compile(
    r"(?:enable|activate|turn on|requires?|aktivier\w*|activer|habilit\w+|attiv\w+) javascript|javascript (?:is"
    r"|ist|est|está) ",
    re.IGNORECASE,
)


def why_no_article(blocks: Sequence[Block], *, title: str, bare: str) -> str | None:
    """
    Return why a page holds no article, None if it may hold one.

    Args:
        blocks: The main text as far as one was found.
        bare: The page's text without any judgement, its beginning at least; for what a wall says.
    """
    text = "\n".join(block.text for block in blocks)
    about = f"{title}\n{text if text else bare}"[: WALL_MAX * 2]
    if len(text) <= WALL_MAX:
        if BOT.search(about):
            return "a check for robots stands before the article"
        if ERROR.match(title) or ERROR.match(text):
            return "the page says that it does not exist"
        if CONSENT.search(about) and _is_mostly_wall(text):
            return "a consent wall stands before the article"
        if not text and SCRIPTED.search(bare):
            return "the page shows nothing without JavaScript"
    if len(key(text)) < LEAST:
        return "the page has no text to speak of"
    return None


def _is_mostly_wall(text: str) -> bool:
    """Whether hardly a paragraph is left without those that speak of consent."""
    rest = [
        line
        for line in text.split("\n")
        if not CONSENT.search(line) and "cookie" not in line.lower() and "privacy" not in line.lower()
    ]
    return sum(len(line) for line in rest if len(line) > 80) < 300
