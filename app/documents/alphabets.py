"""Encodings and their languages, and letters by frequency where charset-normalizer's lists end."""

_WEST = (
    "English", "German", "French", "Dutch", "Italian", "Spanish", "Portuguese", "Swedish", "Norwegian", "Finnish",
    "Danish",
)  # fmt: skip
_CENTRE = ("Polish", "Czech", "Hungarian", "Romanian", "Slovene", "Slovak", "Croatian", "German")
_CYRILLIC = ("Russian", "Ukrainian", "Bulgarian", "Serbian")
_BALTIC = ("Lithuanian", "Latvian", "Estonian")
LANGUAGES: dict[str, tuple[str, ...]] = {  # of each encoding, the usual ones first: of equal texts the first counts
    "cp1252": _WEST,
    "gb18030": ("Chinese",),
    "big5hkscs": ("Traditional Chinese",),
    "cp932": ("Japanese",),
    "cp949": ("Korean",),
    "euc_jp": ("Japanese",),
    "cp1251": _CYRILLIC,
    "koi8_r": ("Russian",),
    "koi8_u": ("Ukrainian",),
    "cp1250": _CENTRE,
    "cp1253": ("Greek",),
    "cp1254": ("Turkish",),
    "cp1255": ("Hebrew",),
    "cp1256": ("Arabic", "Farsi"),
    "cp1257": _BALTIC,
    "cp1258": ("Vietnamese",),
    "cp874": ("Thai",),
    "iso8859_2": _CENTRE,
    "iso8859_5": _CYRILLIC,
    "iso8859_7": ("Greek",),
    "iso8859_8": ("Hebrew",),
    "iso8859_6": ("Arabic",),
    "iso8859_9": ("Turkish",),
    "iso8859_13": _BALTIC,
    "iso8859_15": _WEST,
    "iso8859_16": ("Romanian",),
    "mac_roman": _WEST,
    "mac_latin2": _CENTRE,
    "utf-16-le": ("Chinese", "Japanese", "Korean", "Traditional Chinese"),
    "utf-16-be": ("Chinese", "Japanese", "Korean"),
    "mac_cyrillic": ("Russian",),
    "cp866": ("Russian",),
    "cp852": _CENTRE,
    "cp850": _WEST,
    "cp437": _WEST,
}
RARE = {  # what an encoding costs that few files are written in, as a logarithm
    "mac_roman": 6.0,
    "mac_latin2": 6.0,
    "mac_cyrillic": 4.0,
    "cp866": 2.0,
    "cp852": 5.0,
    "cp850": 5.0,
    "cp437": 6.0,
    "iso8859_16": 3.0,
    "iso8859_13": 2.0,
    "iso8859_6": 2.0,
    "iso8859_8": 2.0,
    "iso8859_5": 2.0,
    "iso8859_15": 2.0,
    "iso8859_2": 1.0,
    "iso8859_7": 1.0,
    "iso8859_9": 1.0,
    "cp1258": 2.0,
    "cp1257": 1.0,
    "utf-16-le": 3.0,
    "utf-16-be": 4.0,
}
MORE_LETTERS = {  # that follow charset-normalizer's in their languages' alphabets
    "German": "ß",
    "French": "êçùâîôûëïœÿ",
    "Dutch": "éïóèöü",
    "Italian": "ùìé",
    "Polish": "śżćńź",
    "Spanish": "úñü¿¡",
    "Russian": "шюэщфёъ",
    "Portuguese": "êíúâôàõü",
    "Swedish": "é",
    "Ukrainian": "ишюєщфґ",
    "Norwegian": "éø",
    "Finnish": "å",
    "Czech": "ěšžůúťďňó",
    "Hungarian": "üőűúí",
    "Turkish": "ğöâîû",
    "Romanian": "ţşâ",
    "Danish": "é",
    "Lithuanian": "ųūęį",
    "Slovak": "žťľúéôďňäĺŕó",
    "Bulgarian": "шюьфя",
    "Croatian": "đ",
    "Estonian": "šž",
    "Greek": "ςέθφβξζψϊϋΐΰώ",
    "Hebrew": "ף",
    "Arabic": "ثذغزضئءؤآظلإّ",
    "Farsi": "چژصذضثظغئ",
    "Serbian": "чћшђжљњџф",
    "Vietnamese": "êôơưăâéèẻẽẹáàảãạíìỉĩịóòỏõọúùủũụýỳ\u0301\u0300\u0309\u0303\u0323",
    "Thai": "ิีึืุูเแโใไ่้๊๋์ัำฉซญฎฏฐฑฒณธผฝฟภศษฬฮๆ",
    "Korean": "습니입합했었있것들부제전자구상정수장주동해보비",
}
FURTHER = {  # languages that it has no list of
    "Latvian": "asietrnuākmdpoīlēvzšgjbcūņļžčķģf",
    "Traditional Chinese": (
        "的一是不了在人有我他這個們中來上大為和國地到以說時要就出會可也你對生能而子那得於著下自之年過發後作裡用道行所然家種事成方"
        "多經麼去法學如都同現當沒動面起看定天分還進好小部其些主樣理心本前開但因只從想實日者意無力它與長機十民第公此已工使情明性知"
        "全三又關點正業外將兩高間由問很最重並物手應向頭文體政美相見被利什二等產或新己制身果加西月話合回特代內信表化老給世位次度門"
        "任常先海通教原東提立及比員解水名真論處走義各入幾口認條平系氣題活更別打女變四總何電數安少報才結反受目太量再感建務做接必場"
        "件計管期市直資命山金指許統區保至"
    ),
}
MORE_CHINESE = (
    "日军者意无力它与长把机十民第公此已工使情明性知全三又关点正业外将两高间由问很最重并物手应向头文体政美相见被利什二等产或新"
    "己制身果加西月话合回特代内信表化老给世位次度门任常先海通教儿原东声提立及比员解水名真论处走义各入几口认条平系气题活更别打"
    "女变四总何电数安少报才结反受目太量再感建务做接必场件计管期市直资命山金指许统区保至队形社便空决治展科司五基书非则界达光放"
    "强即难且权思设式色路记南品住告类求据程北边"
)
