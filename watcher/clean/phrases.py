"""What sites in many languages write around an article: read-more lines, headings of teasers, calls to subscribe."""

from __future__ import annotations

import re
from functools import lru_cache

WORD = re.compile(r"[^\W_]+")
KEYS = 4_096  # texts whose key is remembered: each rule asks for that of each block

# Before the title of another article: "Read more: …". Alone, they are the label of a box.
READ_MORE = (
    "read more|read also|also read|read next|see also|see more|learn more|also on|watch also|watch more"
    "|don't miss|dont miss"
    "|click here|related|in pictures|recommended reading|recommended stories|more here|more on this story"
    "|lesen sie auch|lesen sie hier|lesen sie mehr|lesen sie dazu|mehr lesen|mehr zum thema|mehr dazu|auch interessant"
    "|weiterlesen|siehe auch|passend zum thema|das könnte sie auch interessieren|lies auch|zum thema"
    "|lire aussi|à lire aussi|a lire aussi|à lire|voir aussi|lire également|lire la suite|sur le même sujet"
    "|notre dossier"
    "|lea también|lee también|lea más|lee más|leer más|te puede interesar|le puede interesar|ver también"
    "|más información"
    "|le recomendamos|mira también|lea además"
    "|leia também|leia mais|veja também|veja mais|saiba mais|confira também|ler mais|leia ainda"
    "|leggi anche|leggi tutto|leggi l'articolo|vedi anche|per approfondire|potrebbe interessarti|approfondisci"
    "|lees ook|lees meer|lees verder|bekijk ook|lees hier"
    "|läs också|läs även|läs mer|se också|læs også|læs mere|se også|les også|les mer|les saken|hør også"
    "|lue myös|lue lisää|katso myös|lesa meira|loe ka|loe lisaks|lasi arī|skaityk|skaitykite taip pat"
    "|taip pat skaitykite"
    "|czytaj także|czytaj też|czytaj również|czytaj więcej|zobacz także|zobacz też|zobacz również|przeczytaj także"
    "|čtěte také|čtěte též|čtěte více|přečtěte si|mohlo by vás zajímat|čítajte aj|čítajte viac|prečítajte si"
    "|olvassa el|olvasd el|kapcsolódó cikk|citește și|citeşte şi|vezi și|citiți și|citește mai mult"
    "|pročitajte i|pročitajte još|pročitaj i|čitajte još|preberite tudi|beri tudi|прочитајте и|lexo edhe|прочетете още"
    "|читайте также|читайте ещё|читайте еще|смотрите также|материалы по теме|читать далее|читать также|по теме"
    "|читайте також|читати також|дивіться також|читайте на тему"
    "|ayrıca okuyun|ilginizi çekebilir|bunlar da ilginizi çekebilir|devamını oku|haberin devamı|oxuyun"
    "|διαβάστε επίσης|διαβάστε ακόμη|διαβάστε ακόμα|διαβάστε περισσότερα|δείτε επίσης"
    "|اقرأ أيضا|اقرأ أيضًا|اقرأ أيضاً|إقرأ أيضا|إقرأ أيضاً|شاهد أيضا|اقرأ المزيد|بیشتر بخوانید|یہ بھی پڑھیں|مزید پڑھیں"
    "|קראו גם|קראו עוד|קרא עוד|यह भी पढ़ें|ये भी पढ़ें|आगे पढ़ें|আরও পড়ুন|আরো পড়ুন|மேலும் படிக்க"
    "|baca juga|baca selengkapnya|simak juga|lihat juga|xem thêm|đọc thêm|tin liên quan|soma zaidi|soma pia|basahin"
    "|関連記事|あわせて読みたい|続きを読む|関連ニュース|もっと読む|相关阅读|相关新闻|相關新聞|延伸閱讀|延伸阅读|推荐阅读"
    "|관련기사|관련 기사|관련뉴스|อ่านเพิ่มเติม|อ่านต่อ|ข่าวที่เกี่ยวข้อง"
)
# Headings of what is not the article; with more words behind some of them ("More from International").
BOX = (
    "more from|more on|more in|more stories|more news|more like this|most read|most popular|most viewed"
    "|popular now|popular|trending"
    "|latest|latest news|latest stories|latest headlines|just in|top stories|top news|related|related articles"
    "|related stories"
    "|related news|related topics|related content|related posts|related coverage|related links|recommended"
    "|recommended for you"
    "|you may also like|you might also like|you may like|you might like|you may be interested|what to read next"
    "|read next|up next"
    "|editor's picks|editors' picks|editor’s picks|in case you missed it|coming up|coming up on|on air|on air now"
    "|now playing"
    "|listen live|around the web|from the web|sponsored|sponsored content|promoted|promoted stories|elsewhere"
    "|other stories"
    "|share|share this|share this article|share this story|follow us|tags|topics|filed under|comments"
    "|leave a comment|about the author"
    "|sign up|newsletter|newsletters|our newsletters|podcasts|watch|watch live|videos|photo gallery|galleries"
    "|games|jobs|advertisement"
    "|mehr zum thema|mehr von|mehr aus|weitere artikel|weitere meldungen|weitere nachrichten|ähnliche artikel"
    "|ähnliche|meistgelesen"
    "|meistgelesene artikel|das könnte sie auch interessieren|das könnte dich auch interessieren"
    "|aktuelle nachrichten|neueste artikel"
    "|auch interessant|empfohlen|empfehlungen der redaktion|themen|schlagwörter|kommentare|über den autor"
    "|zur startseite"
    "|à lire aussi|à lire également|les plus lus|sur le même sujet|sur le même thème|dans la même rubrique"
    "|articles liés|à la une"
    "|les dernières actualités|plus d'actualités|nos derniers articles|commentaires|partager"
    "|más noticias|más leídas|lo más leído|lo más visto|noticias relacionadas|te puede interesar|relacionadas"
    "|relacionado"
    "|últimas noticias|más sobre|más de|temas|etiquetas|comentarios|compartir|archivado en"
    "|mais lidas|notícias relacionadas|leia também|veja também|últimas notícias|mais sobre|mais notícias"
    "|comentários|relacionadas"
    "|leggi anche|articoli correlati|potrebbe interessarti anche|i più letti|ultime notizie|altre notizie"
    "|commenti|condividi"
    "|lees ook|meer over|meest gelezen|gerelateerd|gerelateerde artikelen|laatste nieuws|reacties"
    "|läs mer|mest läst|mer om|relaterat|senaste nytt|læs mere|mest læste|seneste nyt|mest lest|siste nytt"
    "|flere saker|luetuimmat"
    "|czytaj także|polecamy|najczęściej czytane|podobne artykuły|komentarze|najnowsze|zobacz także|powiązane"
    "|mohlo by vás zajímat|nejčtenější|související|související články|diskuze|súvisiace články|najčítanejšie"
    "|kapcsolódó cikkek"
    "|citește și|cele mai citite|najčitanije|povezane vijesti|najnovije|najbolj brano"
    "|читайте также|материалы по теме|новости по теме|популярное|главное|ещё по теме|ещё в разделе|ещё в рубрике"
    "|последние новости"
    "|самое читаемое|комментарии"
    "|читайте також|популярне|останні новини|новини за темою|коментарі"
    "|ilgili haberler|en çok okunanlar|son haberler|öne çıkanlar|son dakika haberleri|yorumlar|etiketler"
    "|σχετικά άρθρα|δημοφιλή|τελευταία νέα|διαβάστε επίσης|ροή ειδήσεων"
    "|اقرأ أيضا|مواضيع ذات صلة|أخبار ذات صلة|الأكثر قراءة|آخر الأخبار|مقالات ذات صلة|اخبار مرتبط|כתבות נוספות|עוד באתר"
    "|berita terkait|terpopuler|berita terkini|artikel terkait|tin liên quan|tin mới|bài liên quan|đọc nhiều"
    "|関連記事|関連ニュース|おすすめ記事|アクセスランキング|ランキング|最新ニュース|新着記事|相关新闻|相关阅读|推荐阅读|热门|热门新闻|最新|相關新聞"
    "|관련기사|많이 본 뉴스|인기기사|최신뉴스|추천기사|ข่าวที่เกี่ยวข้อง|ข่าวล่าสุด|संबंधित खबरें|ताज़ा खबरें|সম্পর্কিত খবর"
)
# A label alone on its line.
LABELS = (
    "advertisement|advertisements|ad|ads|more|sponsored|sponsor message|continue reading"
    "|story continues below advertisement|share|save"
    "|article continues below|scroll to continue|skip to content|loading|print|order reprints|print article"
    "|copy link|comment"
    "|comments|reply|recommended|share on facebook|share on twitter|back to top|all rights reserved|thank you"
    "|video|photos|listen"
    "|anzeige|werbung|teilen|drucken|merken|kommentare|zur startseite|publicité|partager|imprimer|publicidad"
    "|compartir|imprimir"
    "|publicidade|compartilhar|continua após a publicidade|pubblicità|condividi|stampa|advertentie|deel|annons"
    "|reklam|reklame|annonse"
    "|dela|del|mainos|jaa|reklama|udostępnij|реклама|поделиться|поділитися|paylaş|διαφήμιση|إعلان|شارك|تبلیغات"
    "|פרסומת|विज्ञापन"
    "|कॉपी लिंक|iklan|quảng cáo|広告|シェア|广告|廣告|分享|광고|공유|โฆษณา"
)
ASKS = (
    "sign up|subscribe|follow|join|download|get (?:the|our|all|more|breaking)|like (?:us|this)|register|support"
    "|stay (?:up|informed)"
    "|click here|enter your e-?mail|want to|have a (?:story|tip)|got a (?:story|tip)|do you have a|email us"
    "|contact us|write to|to read"
    "|already a subscriber|keep an eye|share your|share this|catch up|listen to|log in|please (?:log|sign|enable"
    "|check|confirm|logout)"
    "|you must|by (?:signing|submitting|subscribing)|this (?:article|story) (?:is|was) (?:for|only|first"
    "|originally)|our (?:app|newsletter)"
    "|abonnier|folge|folgen|folgst du|melden sie|jetzt|lesen sie|sie können|holen sie|laden sie|testen sie|hier geht"
    "|registrier|mehr lesekomfort"
    "|abonnez|suivez|inscrivez|recevez|téléchargez|rejoignez|s'abonner|suscr[ií]b|síguenos|sigue|siga|regístr"
    "|únete|recib[ea]|descarga"
    "|assine|inscreva|receba|acompanhe|entre no|clique|baixe|iscriviti|seguici|abbonati|ricevi|scarica|segui|clicca"
    "|abonneer|volg|schrijf je|meld je|prenumerera|följ|ladda ner|følg|tilmeld|abonner|last ned|tilaa|seuraa"
    "|zapisz|obserwuj|dołącz|subskrybuj|pobierz|sledujte|přihlaste|odebírejte|sledujte nás|iratkozz|kövess"
    "|abonează|urmărește|pratite"
    "|подпис|присоединя|следите|підпис|приєдн|takip|abone|indir|ακολουθήστε|εγγραφείτε|κάντε|اشترك|تابع|عضو شوید"
    "|הירשמו|הצטרפו"
    "|ikuti|dapatkan|langganan|theo dõi|đăng ký|登録|フォロー|关注|订阅|訂閱|追蹤|구독|팔로우|ติดตาม|फॉलो|सब्सक्राइब"
)
CHANNELS = (
    "newsletter|whatsapp|telegram|instagram|facebook|twitter|tiktok|youtube|google news|google noticias|linkedin"
    "|bluesky|threads|viber"
    "|subscri|e-?paper|push-|push notification|breaking news|alerts|inbox|e-?mail|\\bapp\\b|android|iphone"
    "|app store|on x\\b|podcast"
    "|forum|comment|account|display name|premium|abo\\b|abonn|probeabo|kostenlos testen|rss|notificacion"
    "|notificaç|notifiche"
    "|messenger|kanal|channel|canale?\\b|canaux|канал|рассылк|telegram|телеграм|вайбер|bülten|nyhetsbrev"
    "|nieuwsbrief|nyhedsbrev"
    "|uutiskirje|boletín|boletines|infolettre|e-mail|メール|公式|チャンネル|公众号|微信|채널|@[a-z]"
)
# Asks what the reader thinks of the article, or whether he will pay for the next one.
RATES = (
    "(?:wie )?hat ihnen (?:der|dieser|die|diese) (?:artikel|beitrag|meldung) gefallen|ihre meinung ist uns wichtig"
    "|gefällt ihnen (?:der|dieser) (?:artikel|beitrag)|(?:would|do) you (?:like|want) to comment on this"
    "|(?:did you )?(?:like|enjoy|find) this (?:article|story|page)(?: helpful)?\\?"
    "|was this (?:article|page|story) \\w+\\?"
    "|please read our comment|(?:vous avez|avez-vous) (?:aimé|apprécié) cet article|cet article vous a"
    "|¿(?:te|le) (?:ha gustado|gustó) (?:este|el) art|(?:ti|vi) è piaciuto (?:questo|l')"
    "|gostou (?:deste|do|da) (?:artigo|matéria)"
    "|vond (?:je|u) dit (?:artikel|nuttig)|var (?:den här|denne) artikeln? |co myślisz o tym|bu haberi beğendiniz"
    "|この記事は(?:いかが|役に立ち)ましたか"
)
RIGHTS = (
    "(?:copyright|©|ⓒ|\\(c\\))\\W{0,3}(?:by\\b|(?:19|20)\\d\\d).{0,120}"
    "|.{0,120}(?:all rights reserved|alle rechte vorbehalten|tous droits réservés"
    "|todos los derechos reservados|todos os direitos reservados|tutti i diritti riservati|alle rechten voorbehouden"
    "|wszelkie prawa zastrzeżone|все права защищены|無断転載.{0,12}|무단.{0,3}(?:전재|복제).{0,24}"
    "|版权所有|版權所有|جميع الحقوق محفوظة)"
)
# Where something from elsewhere would be shown: a post, a film.
EMBEDS = (
    "empfohlener (?:redaktioneller|externer) inhalt|an dieser stelle (?:finden sie|befindet sich) .{0,60}extern"
    "|.{0,60}extern\\w* inhalte? (?:von \\w+ )?(?:angezeigt|anzuzeigen|geladen|zu laden)|ein klick für den datenschutz"
    "|ich bin damit einverstanden, dass mir|um diesen inhalt (?:anzuzeigen|zu sehen)|zur anzeige aktiviere"
    "|this content is (?:hosted|provided) by a third party|.{0,40}third[- ]party content"
    "|to (?:view|see|display) this content"
    "|(?:allow|load|show) (?:\\w+ )?content\\W*$|we need your (?:consent|permission) to (?:load|show)"
    "|ce contenu (?:est bloqué|n'a pas pu)|(?:afficher|voir) le contenu|cet (?:élément|contenu) .{0,40}cookies"
    "|este contenido .{0,40}(?:terceros|cookies)|questo contenuto .{0,40}(?:terze parti|cookie)"
    "|deze inhoud .{0,40}(?:cookies|derden)|den? (?:här|her) innehåll\\w* .{0,40}(?:cookies|tredje)"
)
WALLS = (
    "subscribe to continue|subscribe to read|to continue reading|already a subscriber|subscribers only"
    "|this content is for subscribers"
    "|unlock this article|create a free account to|sign in to read|register to read"
    "|weiterlesen mit|nur für abonnenten|jetzt abonnieren und weiterlesen|sie haben noch kein abo|réservé aux abonnés"
    "|cet article est réservé|il vous reste \\d+ ?% de cet article|contenido exclusivo para suscriptores"
    "|suscríbete para seguir leyendo"
    "|conteúdo exclusivo para assinantes|contenuto riservato agli abbonati|för prenumeranter|kun for abonnenter"
    "|for abonnenter"
    "|tylko dla prenumeratorów|只有订阅|会員限定|この記事は会員限定|有料会員|会員登録"
)


@lru_cache(maxsize=KEYS)
def normalize_key(text: str) -> str:
    """Return what two spellings of one text have in common: its letters and digits, in lower case."""
    return "".join(WORD.findall(text.lower()))


def _starts(alternatives: str, after: str) -> re.Pattern[str]:
    words = sorted(alternatives.split("|"), key=len, reverse=True)
    return re.compile(rf"[\W_]{{0,6}}(?:{'|'.join(map(re.escape, words))}){after}", re.IGNORECASE)


_READ_MORE = _starts(READ_MORE, r"(?:\s?[:：|»>–—!…]|[\W_]*$|\s[^.]{0,40}[:：])")
_BOX = _starts(BOX, r"(?!\w).{0,50}$")
_LABEL = _starts(LABELS, r"[\W_]*$")
_ASKS = re.compile(rf"(?:^|[.!?:|–•] )[\W_]{{0,4}}(?:you can |du kannst |please |bitte )?(?:{ASKS})", re.IGNORECASE)
_QUOTED = re.compile('["“”„«»「『]')
_CHANNELS = re.compile(rf"(?:{CHANNELS})", re.IGNORECASE)
_RATES = re.compile(rf"[\W_]{{0,4}}(?:{RATES})", re.IGNORECASE)
_RIGHTS = re.compile(rf"[^\w©ⓒ(]{{0,4}}(?:{RIGHTS})[\W_]*$", re.IGNORECASE)
_EMBEDS = re.compile(rf"[\W_]{{0,4}}(?:{EMBEDS})", re.IGNORECASE)
_WALLS = re.compile(rf"(?:{WALLS})", re.IGNORECASE)


def is_read_more(text: str) -> bool:
    """Whether `text` leads to another article: "Read more: …"."""
    return len(text) < 300 and _READ_MORE.match(text) is not None


def is_teaser_heading(text: str) -> bool:
    """Whether `text` can stand over a box of teasers, a schedule or comments: "More from International"."""
    return len(text) < 80 and text[-1:] not in ".!?。" and _BOX.match(text) is not None


def is_label(text: str) -> bool:
    """Whether `text` is a label or a button alone on its line: "Advertisement"."""
    return len(text) < 60 and _LABEL.match(text) is not None


def is_call_to_action(text: str) -> bool:
    """Whether `text` asks the reader for something: to subscribe, to follow, to comment."""
    if len(text) >= 320 or _QUOTED.search(text):
        return False
    return _RATES.match(text) is not None or bool(_ASKS.search(text[:80]) and _CHANNELS.search(text))


def is_copyright_notice(text: str) -> bool:
    """Whether `text` says whose the text is, and nothing else."""
    return len(text) < 200 and _RIGHTS.match(text) is not None


def is_embed(text: str) -> bool:
    """Whether `text` stands for something from elsewhere that is not shown, or asks whether it may be."""
    return len(text) < 500 and _EMBEDS.match(text) is not None


def is_paywall(text: str) -> bool:
    """Whether `text` says that the rest is for subscribers."""
    return len(text) < 400 and _WALLS.search(text) is not None
