"""What the decoder is asked: a question, or a task by its prefix.

The document is in the encoder; the decoder begins with `Question: ...\nAnswer:`, `Summary:` or `Title:`. Titles are the
names of the articles that encyclopaedia passages come from, summaries those that authors wrote of their papers.
"""

from collections.abc import Iterable
from typing import NamedTuple
from zlib import crc32

from model.answering.prompts import NOT_IN_DOCUMENT, prompt_text
from model.training.edited_negatives import edited_question
from model.training.neighbouring_negatives import questions_of_neighbours
from model.training.sales_receipts import further_questions
from model.types import Turn

SUMMARY, TITLE = "Summary:", "Title:"
TITLED = ("squad11_train", "nq_oracle", "piaf", "qed", "tydiqa")  # sources whose `document` is the title of an article
SUMMARISED = ("scitldr",)  # sources whose answer is a summary of all of the context
WITH_EDITED = (  # sources whose questions get edited ones, too: the answers stand in the text
    "squad11_train", "squadshifts", "squad_it", "piaf", "nq_oracle", "qed", "tydiqa", "afriqa", "quoref",
)  # fmt: skip
WITH_NEIGHBOURS = ("squad11_train", "squad_it", "piaf")  # sources of articles with several contexts each
RECEIPTS = ("receipts",)  # sources of receipts that lack some questions
TITLES_ASKED = 6  # one in so many contexts is asked for its title, too

WHOLE_TEXT = ("title", "summary", "keywords", "keypoints")  # tasks that no single passage answers
RARE = {"title": 4, "keywords": 3}  # tasks of which one row in so many is learned: there are more than are asked


class Example(NamedTuple):
    """What the decoder is given and what it learns to say; `whole_text`: no single passage answers it."""

    prompt: str
    answer: str
    whole_text: bool = False


def pairs_by_context(rows: Iterable[dict]) -> dict[str, list[Example]]:
    """Prompts and answers of each distinct context; the first answer of a row is the one that is learned."""
    by_context: dict[str, list[Example]] = {}
    asked_of: dict[str, list[tuple[str, str]]] = {}
    articles: list[dict] = []
    for row in rows:
        if is_left_out(row):
            continue
        pairs = by_context.setdefault(row["context"], [])
        if not pairs and row["source"] in TITLED and crc32(row["context"].encode()) % TITLES_ASKED == 0:
            pairs.append(Example(TITLE, row["document"].replace("_", " "), whole_text=True))
        answer = row["answers"][0] if row["answers"] else NOT_IN_DOCUMENT
        pairs.append(Example(prompt_of(row), answer, whole_text=is_about_the_whole(row)))
        if row["source"] in WITH_EDITED and row["answers"]:
            other = edited_question(row["question"].strip(), row["context"], answer, row["language"])
            pairs += [Example(prompt_text(other), NOT_IN_DOCUMENT)] if other else []
        if row["source"] in WITH_NEIGHBOURS:
            articles.append(row)
        if row["source"] in RECEIPTS and row["answers"]:
            asked_of.setdefault(row["context"], []).append((row["question"], answer))
    for context, question in questions_of_neighbours(articles).items():
        by_context[context].append(Example(prompt_text(question), NOT_IN_DOCUMENT))
    for context, asked in asked_of.items():
        by_context[context] += [
            Example(prompt_text(question), told) for question, told in further_questions(context, asked)
        ]
    return by_context


def prompt_of(row: dict) -> str:
    """The prompt of a row, with the turns before it where it has some."""
    turns = tuple(Turn(question=question, answer=answer) for question, answer in row.get("history", ()))
    return SUMMARY if row["source"] in SUMMARISED else prompt_text(row["question"].strip(), turns)


def is_left_out(row: dict) -> bool:
    """Whether a row is one of too many of its task."""
    share = RARE.get(row.get("task", ""), 1)
    return share > 1 and crc32(row["id"].encode()) % share != 0


def is_about_the_whole(row: dict) -> bool:
    return row["source"] in SUMMARISED or row.get("task") in WHOLE_TEXT
