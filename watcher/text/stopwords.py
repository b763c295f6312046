"""Words that say nothing of what a text is about: the commonest of each language, and the trade's own. Kept short."""

STOP_WORDS = {
    "en": """a about after again all also an and any are as at be been before being but by can could did do does
        down during for from had has have he her here him his how i if in into is it its just like may me
        more most my new no not now of off on one only or our out over said say says she should so some
        still such than that the their them then there these they this those through to today told two under
        up us very was we were what when where which while who why will with would you your news live update
        updates latest report reports video watch according year years day days""",
    "es": """a al ante aquí así aún cada como con contra cual cuando de del desde donde dos durante el ella ellos
        en entre era es esta este esto está están fue fueron ha había han hasta hay la las le les lo los más
        me mi muy ni no nos o para pero por porque que quien qué se ser si sin sobre son su sus también tan
        tiene todo todos tras un una uno y ya dijo según año años hoy nuevo nueva""",
    "pt": """a ao aos as até com como contra da das de del dele desde diz do dois dos e ela ele eles em entre era
        essa esse esta está este foi foram há isso já la lhe mais mas me mesmo muito na nas não nem no nos o
        os ou para pela pelas pelo pelos por qual quando que quem se sem ser será seu seus sobre sua suas
        são também tem têm um uma veja vai após disse ano anos hoje novo nova""",
    "fr": """a à après au aussi aux avec c ce cela ces cet cette chez comme contre d dans de depuis des deux dont
        du elle elles en entre est et été être fait font il ils j je l la le les leur leurs lors lui m mais
        même n ne nos notre nous on ont ou où par pas pendant plus pour qu quand que qui s sa sans se selon
        ses si son sont sous sur tous tout trois très un une vers vous y an ans jour nouveau nouvelle""",
    "de": """ab aber als am an auch auf aus bei bis da damit das dass dem den denn der des die dies diese dieser
        doch dort durch ein eine einem einen einer eines er es für gegen hat haben hatte ich ihr ihre im in
        ins ist ja kann kein keine man mehr mit nach neue neuen nicht noch nun nur ob oder ohne sagt sagte
        sein seine sei seit sich sie sind so soll über um und uns unter vom von vor war was weil wenn werden
        wie wieder will wir wird wo wurde wurden zu zum zur zwei jahr jahre heute""",
    "it": """a ad ai al alla alle allo anche c che chi ci come con contro cosa da dai dal dalla dalle dei del
        della delle dello di dopo dove due e ed è era essere fa fino gli ha hanno ho i il in io l la le lo
        loro ma mentre ne nei nel nella nelle no noi non o ogni oggi per perché più poi prima quando quello
        questa questo se senza si sia sono stata stato su sua sui sul sulla suo tra tutti un una uno anno
        anni nuovo nuova""",
    "nl": """aan al als bij dan dat de der die dit door een en er geen had heeft hebben het hij ik in is je kan
        maar meer met na naar niet nieuwe nog nu of om ook op over te tegen tot uit van veel voor was wat we
        wel werd wordt worden ze zegt zich zij zijn zo zal jaar twee""",
    "sv": """att av blir de den det där efter ekt en ett från för ha han har hon i inte in kan man med men mot nu
        när och om på sig sin ska som så till under upp ut var vi vid är över år två nya säger""",
    "da": """af at blev da de den der det efter en er et for fra han har hun i ikke kan med men mod nu når og om
        op på sig siger sin skal som til ud var ved vil år nye to""",
    "no": """av at ble da de den der det en er et etter for fra han har hun i ikke kan med men mot nå når og om
        opp på sier seg sin skal som til ut var ved vil år nye to""",
    "fi": """ei että he hän ja joka jo jos kanssa kuin kun mukaan mutta myös ne niin nyt oli on ovat se sen sekä
        tai tämä vain voi vuonna vuoden yli""",
    "pl": """a aby ale bez być był była było były co czy dla do gdy go i ich jak jako jego jej jest już ma może
        na nad nie niż o od oraz po pod przed przez przy się są ta tak tej ten to tego tym w we więcej z za
        ze został roku lat dwa""",
    "cs": """a ale ani až bez by byl byla bylo být co do i jak jako je jeho ještě k která které který na nad ne
        nebo o od po pod podle pro proti při s se si své také tak to u v ve více z za ze že roku let""",
    "sl": """a ali bi bil bila bilo bo bodo da do dva ga iz in je jih kako ker ki ko kot med na nad ne ni niso o
        ob od pa po pod pred pri s se si smo so svoje ta tem to tudi v več z za že letu leta""",
    "hr": """a ali bez bi bila bilo bio da do dok dva ga i ili iz ja je jer još kako kao koja koje koji kod na
        nakon ne nije o od po pred pri s sa samo se smo su što ta te to u već više za će godine""",
    "ro": """a ai al ale am ar au ca care ce cu da de din după este fi fost in în intre la lui mai nu o pe pentru
        peste prin sa să se si și sunt un una unei unui va ani doi""",
    "hu": """a az alatt által csak de egy egyik el és ez hogy is ki kell két le lesz maga már meg mert mint még
        nem s sem szerint után van volt év új""",
    "tr": """ama ancak bir bu çok da daha de değil dedi diye en gibi göre ile için ise iki kadar ki mi ne o olan
        olarak oldu olduğu sonra ve veya ya yeni yıl üzere var her""",
    "id": """ada adalah agar akan antara atau bagi bahwa baru bisa dalam dan dapat dari dengan di dia dua hari
        ini itu juga kata ke kepada lebih mereka oleh pada para saat saja sebagai secara sudah tahun tak
        telah tentang tersebut tidak untuk yang""",
    "vi": """bị các cho có của cùng còn do đã để đến đi được hơn khi không là lại mà một này năm ngày những như
        nhiều ở ra rằng sau sẽ tại theo thì trên trong từ và về vào với""",
    "ru": """а без бы был была были было быть в вам вас во вот все всех вы где да для до его ее если есть еще же
        за и из или им их к как ко когда которые который кто ли между мы на над не него нет ни но о об он
        она они от по под после при про с сказал со так также там то того тоже только у уже чем что чтобы
        это этого этот я год года лет новый""",
    "uk": """а або але без бо був була були було в вже від він вона вони все для до є за з зі і із їх його її й
        коли на над не ні о об по під після при про та так також те то у це цей що щоб як який які року
        років""",
    "bg": """а ако без бе беше в във до за и из или им как като към ли на не ни но от по под при с са се си след
        със също така той това тя че ще година""",
    "sr": """а али без би био била било да до за и из или је као која које који на након не није о од по пре са
        се су то у што ће године""",
    "el": """αλλά αν από για δεν είναι είχε ένα ένας η ήταν θα και κατά με μετά μια μία να ο οι όπως όταν ότι που
        προς πως σε στα στη στην στις στο στον στους τα τη την της τις το τον του τους των χωρίς ως έχει
        έτος""",
    "ar": """أن إن أو أي إلى التي الذي الذين اليوم أكثر أحد بأن بعد بل بين تم حتى حول حيث خلال ذلك سوف عام على عن
        عند عندما غير في فيه قال قالت قبل قد كان كانت كل كما لا لم لن له لها ما مع من منذ نحو هذا هذه هل
        هناك هو هي وأن وفي وقال وكان وهو يوم""",
    "fa": """از است اما آن این با باید بر برای بود به تا چه خود در را سال شد شده شود کرد کرده کند که ما می نیز ها
        های هم و وی یا یک گفت""",
    "he": """אבל אחרי אך אל אם אמר את בין גם היא הוא היום הם הזה זאת זה זו יותר יש כי כך כל לא לאחר לפי מה מי מן
        נגד עד עוד על עם רק של שנה שנים אין או אלא""",
    "ur": """اس اور ان انہوں ایک بھی پر تک تھا تھی تھے تو جو جس سے کا کر کرنے کو کہ کہا کی کے گا گی گیا میں نے
        نہیں وہ ہو ہے ہیں یہ""",
    "hi": """अपने अब इस इसके उस उन एक ऐसे और कर करने कहा का कि किया की के को कोई गई गया जा जो तक तो था थी थे दिया
        दो नहीं ने पर बाद भी में यह या ये रहा रहे लिए वह साथ से हुआ हुई है हैं हो होने साल""",
    "bn": """এ এই এক একটি এবং ও কথা করা করে করেন কিন্তু কে জন্য তার তিনি থেকে দিয়ে না নিয়ে পর বলে বলেন মধ্যে যে
        সঙ্গে সে হয় হয়ে হয়েছে""",
    "sw": """ambao ambapo baada bila hata hii hilo huo ili kama katika kila kutoka kuwa kwa la na ni pia sana wa
        wakati watu ya yake za zaidi hiyo huyo alisema mwaka""",
    "ja": """した して いる から まで です ます する など ため こと との では には での
        さん され れた って てい いて うと とい よう った のは""",
    "zh": """我们 他们 一个 这个 以及 可以 已经 没有 进行 表示 有关 关于 對於 因此 的是
        月日""",
    "ko": "했다 한다 하는 에서 으로 이다 까지 부터 에게 있다 없다 라고 다고 하고",
}
