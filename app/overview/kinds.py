"""What kind of document it is, by the words that such documents are headed with."""

from __future__ import annotations

import re
from typing import Final

from model.answering.extractive_summary import sentences
from model.answering.references import is_bibliography
from model.types import Document

BIBLIOGRAPHY: Final = "Bibliography"
SPREADSHEET: Final = "Spreadsheet"
MESSAGE: Final = "Message"
LOOKED_AT: Final = 3  # pages
MOSTLY: Final = 0.6  # share of the characters
FEWEST_BLANKS: Final = 5  # of a form
CHARACTERS_A_BLANK: Final = 400  # of a form, at most: a contract has blanks, too, between long sentences
_BLANK: Final = re.compile(r"_{4,}|[☐□❑❏]")
HEAD: Final = 400  # characters of the first page: where a document says what it is
_KINDS: Final = {
    "Invoice": r"invoice|rechnung|facture|factura|发票",
    "Receipt": r"receipt|quittung|kassenbon|ticket de caisse|recibo|收据",
    "Ticket": r"e-?tickets?|boarding pass|fahrkarte|fahrschein|bordkarte|e-?billet|billete electrónico|车票|机票",
    "Contract": r"(?:contract|agreement|lease)\b|vertrag|mietvertrag|contrat|contrato|合同|协议",
    "Minutes": r"minutes of|protokoll|procès-verbal|compte rendu|acta de|会议记录",
    "Report": r"(?:annual |final |quarterly |progress )?report|\w*bericht|rapport|informe|报告",
    "Curriculum vitae": r"curriculum vitae|résumé|lebenslauf|简历",
    "Manual": r"manual|user guide|handbook|handbuch|bedienungsanleitung|mode d'emploi|manuel|说明书|手册",
    "Form": r"application form|form \d|formular|antrag|formulaire|formulario|solicitud|申请表",
    "Scientific article": r"abstract|zusammenfassung\b|résumé\b|resumen\b|摘要",
    BIBLIOGRAPHY: r"(?:[\w-]+ )*bibliography|literaturverzeichnis|bibliographie|bibliografía|参考文献",
    "Letter": r"dear (?:sir|madam|mr|ms|mrs|dr|all|\w+ \w+|\w+(?=,))|sehr geehrte|madame, monsieur|estimad[oa]|尊敬的",
}
_BY_LABEL: Final = {"Slide": "Presentation", "Sheet": SPREADSHEET}
_BY_NAME: Final = {
    "eml": MESSAGE,
    "epub": "Book",
    "fb2": "Book",
    "mobi": "Book",
    "html": "Web page",
    "htm": "Web page",
}


def kind_of(document: Document, title: str) -> str:
    """The kind in a word or two of English; empty where nothing tells it. The title tells it better than the rest."""
    first = document.pages[0] if document.pages else None
    if first is None:
        return ""
    if first.label and (kind := _BY_LABEL.get(first.label.partition(" ")[0])):
        return kind
    if kind := _BY_NAME.get(document.name.rpartition(".")[2].lower()):
        return kind
    if first.source == "tags":
        return "Picture"
    for text in (title, first.text[:HEAD]):
        for kind, words in _KINDS.items():
            if re.search(rf"(?<![^\W_])(?:{words})(?![a-zà-ÿ])", text, re.IGNORECASE):
                return kind
    return _by_its_look(document) or ("Scan" if first.source == "ocr" else "")


def _by_its_look(document: Document) -> str:
    """What a document's first pages are made of more than of sentences: references, tables, fields to fill in."""
    pages = document.pages[:LOOKED_AT]
    length = sum(len(page.text) for page in pages)
    if is_bibliography(pages[0].text):
        return BIBLIOGRAPHY
    in_tables = sum(table.end - table.start for page in pages for table in page.tables)
    if in_tables > MOSTLY * length and not any(sentences(document)):
        return "Table"
    blanks = sum(len(_BLANK.findall(page.text)) for page in pages)
    return "Form" if blanks >= max(FEWEST_BLANKS, length // CHARACTERS_A_BLANK) else ""
