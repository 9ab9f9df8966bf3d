"""Encodings of text: found by mark, as UTF-8, by what is declared, by the letters."""

import os

import pytest

from app.documents.charsets import decode, looks_like_text

SAMPLES = {
    "gb18030": "港务局通知：渡轮明天上午九点从四号码头出发，请提前半小时到达。",
    "big5": "港務局通知：渡輪明天上午九點從四號碼頭出發，請提前半小時到達。",
    "shift_jis": "渡し船は明日の午前九時に四番桟橋から出ます。三十分前までにお越しください。",
    "euc_jp": "渡し船は明日の午前九時に四番桟橋から出ます。三十分前までにお越しください。",
    "euc_kr": "나룻배는 내일 오전 아홉 시에 사 번 부두에서 떠납니다. 삼십 분 전에 와 주십시오.",
    "koi8_r": "Паром отходит завтра в девять утра от четвёртого причала.",
    "cp1251": "Паром отходит завтра в девять утра от четвёртого причала.",
    "cp1250": "Prom odpływa jutro o dziewiątej rano z czwartego nabrzeża, proszę przyjść wcześniej.",
    "cp1252": "Die Fähre fährt morgen früh um neun – bitte pünktlich sein, “große” Hunde zahlen 5 €.",
    "cp1253": "Το πλοίο φεύγει αύριο στις εννέα το πρωί από την τέταρτη προβλήτα.",
    "cp1254": "Vapur yarın sabah dokuzda dördüncü iskeleden kalkıyor, lütfen yarım saat önce geliniz, değişiklik olmaz.",  # noqa: E501
    "cp1255": "המעבורת יוצאת מחר בתשע בבוקר מהרציף הרביעי, נא להגיע חצי שעה קודם.",
    "cp1256": "تغادر العبارة غدا في الساعة التاسعة صباحا من الرصيف الرابع.",
    "cp1257": "Keltas išplaukia rytoj devintą valandą ryto iš ketvirtosios prieplaukos, prašome atvykti anksčiau.",
    "cp874": "เรือข้ามฟากออกพรุ่งนี้เวลาเก้าโมงเช้าจากท่าเรือที่สี่",
    "iso2022_jp": "渡し船は明日の午前九時に出ます。",
    "utf-16-le": "The ferry leaves at nine.\nDogs pay half.",
    "utf-16-be": "Паром отходит завтра в девять утра.",
    "utf-32-le": "The ferry leaves at nine.",
}


@pytest.mark.parametrize("times", [1, 60])
@pytest.mark.parametrize("encoding", SAMPLES)
def test_a_line_and_a_page_are_right_in_each_encoding(encoding, times) -> None:
    text = "\n".join([SAMPLES[encoding]] * times)
    decoded = decode(text.encode(encoding))
    assert decoded is not None and decoded.text == text
    assert decoded.is_guessed and "UTF-8" in decoded.remark


def test_utf_8_is_certain_and_says_nothing() -> None:
    decoded = decode("Zürich, “5 €”, 港".encode())
    assert decoded is not None and decoded.encoding == "utf-8" and decoded.remark == ""


def test_what_is_declared_holds_unless_it_cannot_be() -> None:
    short = "Łódź".encode("iso8859_2")
    assert decode(short, "iso-8859-2").text == "Łódź"  # type: ignore[union-attr]
    russian = SAMPLES["koi8_r"] * 5
    assert decode(russian.encode("koi8_r"), "windows-1252").text == russian  # type: ignore[union-attr]
    assert decode("Zürich".encode(), "gb2312").text == "Zürich"  # type: ignore[union-attr]
    assert decode(SAMPLES["gb18030"].encode("gb18030"), "no-such-charset").encoding == "gb18030"  # type: ignore[union-attr]


def test_bytes_that_are_no_text_are_none() -> None:
    assert not looks_like_text(b"\x00\x01\x02\x03" * 50)
    assert decode(os.urandom(1 << 12)) is None
