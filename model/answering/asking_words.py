"""Words that a question about a whole document has whatever the document is about, and what is left: its topic.

They are stems, as `content_words` gives them, of the page's languages. "Summarise the seasonal pattern" asks for two
things: a summary, and the seasonal pattern.
"""

from __future__ import annotations

import re
from collections.abc import Sequence

from model.answering.words import content_words
from model.types import Document

# What a part of a document is called by, and what it does.
PARTS = frozenset(
    content_words(
        "section chapter part appendix annex clause paragraph footnote slide note box entry heading abschnitt kapitel "
        "teil anhang absatz ziffer fußnote folie chapitre partie annexe rubrique sección capítulo anexo apartado "
        "sezione capitolo"
    )
)
SAYS = frozenset(
    content_words(
        "say says said tell tells told deal deals cover covers describe describes explain explains state states "
        "discuss discusses report reports contain contains steht sagt sagen geht gehts beschreibt behandelt regelt "
        "handelt enthält lautet dit disent décrit explique parle traite contient dice dicen trata describe explica "
        "contiene"
    )
)
_OTHERS = frozenset(
    content_words(
        "article item table figure question module step point exercise exhibit schedule title document page number "
        "artikel nummer tabelle abbildung punkt frage überschrift dokument seite tableau artículo tabla punto pregunta "
        "documento página articolo tabella show shows list lists give gives go goes happen happens treat require "
        "requires name names provide provides present presents concern concerns include includes written read short "
        "briefly contents summary summarise summarize sum under called content drin stehen zusammen kurz inhalt worum "
        "wovon thema unter besagt listet prévoit dispose indique agit résume contenu establece regula habla contenido "
        "resume sirve"
    )
)
ASKING = PARTS | SAYS | _OTHERS
# How a summary is asked for, what it is to be like, and what a whole document may be called.
_SUMMARISING = frozenset(
    content_words(
        "summaries overview outline brief gist recap main key major points important essential sentence word line "
        "bullet notes law up one two three four five few first here please make put kind kinds sort using use uses "
        "how many all every "
        "paper letter text book file pdf contract agreement policy guide manual meeting study press release post news "
        "fasse fass zusammenfassung überblick wichtige wichtigsten zentralen satz sätze sätzen nenne bitte zwei drei "
        "die text texte vertrag bericht brief "
        "résumé résumez résumer aperçu phrase principal principaux essentiel deux trois texte contrat rapport lettre "
        "resumen resumir resuma frase frases puntos principales dos tres texto contrato informe carta "
        "riassumi riassunto frasi punti principali due tre testo contratto resumo pontos principais duas três"
    )
)
_INTRODUCED = re.compile(r"\b(?:about|on|regarding|concerning|über|zum|zur|sur|sobre|su|sulla|sul)\s", re.IGNORECASE)
EXCLUDING = re.compile(  # in plain letters: words of a question that asks for what else there is
    r"\b(?:not|no|never|without|except|other|nicht|kein[enrms]*|ohne|ausser|pas|sans|sin|excepto)\b"
)
_FEWEST = 2  # words: a single one is mostly another name of the document ("Summarise the ticket")


def topic(question: str, documents: Sequence[Document]) -> frozenset[str]:
    """The words of what a summary is asked to be about; empty: the whole document.

    They have to stand in the documents, at least half of them. One word is a topic behind "about", "on" or the like.
    """
    asked = frozenset(content_words(question)) - ASKING - _SUMMARISING
    if len(asked) < (1 if _INTRODUCED.search(question) else _FEWEST):
        return frozenset()
    said = {word for document in documents for page in document.pages for word in content_words(page.text)}
    known = asked & said
    return known if 2 * len(known) >= len(asked) else frozenset()
