"""What reads each public set's own files: one function a set, clone -> rows."""

import gzip
import json
import random
import re
from collections import defaultdict
from collections.abc import Callable, Iterator, Sequence
from typing import Any

Clone = Callable[[str], bytes]
"""A file's path in the repository -> its bytes; a folder's, with `/` at its end -> the paths of its files."""
Row = dict[str, Any]
"""language, document (a title), context, question, answers."""

_NOTE = re.compile(r"\[(?:\d+|citation needed|note \d+|[a-z])\](?::\d+)?")  # of Wikipedia
_BRACKETS = {"-LRB-": "(", "-RRB-": ")", "-LSB-": "[", "-RSB-": "]", "``": '"', "''": '"', " -- ": " – "}
_MOST_WORDS = 12  # of an answer
_AROUND = 2600  # characters of a long article that a question is asked about


def cleaned(text: str) -> str:
    text = text.replace("\xa0", " ").replace("\u200b", "").replace("\r\n", "\n")
    return re.sub(r"[ \t]+", " ", text).strip()


def written(tokens: str) -> str:
    """Text whose words and signs stand apart, as parsers leave it, as one writes it."""
    for token, sign in _BRACKETS.items():
        tokens = tokens.replace(token, sign)
    tokens = re.sub(r"\s+([,.;:!?%)\]])", r"\1", tokens)
    tokens = re.sub(r"([(\[$£€#])\s+", r"\1", tokens)
    tokens = re.sub(r"\s+(n't|'s|'re|'ve|'ll|'d|'m|'S)\b", r"\1", tokens)
    tokens = re.sub(r'" ?([^"]*?) ?"', r'"\1"', tokens)
    return re.sub(r" +", " ", tokens).strip()


def _row(language: str, document: str, context: str, question: str, answers: Sequence[str]) -> Row:
    told = {"context": context, "question": question, "answers": list(answers)}
    return {"language": language, "document": document, **told}


def _squad(file: bytes, language: str) -> Iterator[Row]:
    """A file in SQuAD's layout."""
    for article in json.loads(file)["data"]:
        for paragraph in article["paragraphs"]:
            context = paragraph["context"]
            for asked in paragraph["qas"]:
                answers = [answer["text"] for answer in asked["answers"]]
                yield _row(language, article.get("title", context[:60]), context, asked["question"], answers)


def _lines(file: bytes) -> Iterator[Row]:
    """A file of JSON lines."""
    return map(json.loads, filter(str.strip, file.decode().splitlines()))


def qed(clone: Clone) -> Iterator[Row]:
    """Natural Questions' training questions, with the paragraph that answers them."""
    for part in range(6):
        for row in _lines(clone(f"nq-train-0{part}-qed.jsonlines")):
            text, answers = row["paragraph_text"], row["answer_text"]
            if len(answers) == 1 and len(answers[0].split()) <= _MOST_WORDS and not text.startswith("<"):
                yield _row("en", row["title_text"], written(text), row["question_text"], [written(answers[0])])


def tydiqa(clone: Clone) -> Iterator[Row]:
    """TyDi QA's gold passages in English."""
    for row in _squad(clone("language_data/english/english_tydiqa_train.json"), "en"):
        answers = [_NOTE.sub("", answer) for answer in row["answers"]]
        yield row | {"context": _NOTE.sub("", row["context"]), "answers": answers}


def afriqa(clone: Clone) -> Iterator[Row]:
    """Questions of African languages, translated, with passages in English and French."""
    files = re.finditer(r"^.*\.(en|fr)\.(?:train|dev|test)\.json$", clone("data/gold_passages/").decode(), re.MULTILINE)
    for found in files:
        for row in _lines(clone(found[0])):
            if row["context"] and row["question_translated"]:
                answers = [answer for answer in row["answer_pivot"]["text"] if answer]
                title = row["title"] or row["context"][:60]
                yield _row(found[1], title, row["context"], row["question_translated"], answers)


def quoref(clone: Clone) -> Iterator[Row]:
    """Questions whose answer takes knowing who "he" is; those with one answer."""
    rows = _squad(clone("quoref_data/quoref-dev-v0.1.json"), "en")
    return (row for row in rows if len(row["answers"]) == 1)


def timeqa(clone: Clone) -> Iterator[Row]:
    """Who was what when; unanswerable where the article tells of other years alone."""
    for part in ("easy", "hard"):
        articles: dict[str, list[Row]] = defaultdict(list)
        for row in _lines(gzip.decompress(clone(f"dataset/human_train.{part}.json.gzip"))):
            articles[row["idx"].rsplit("#", 1)[0]].append(row)
        for title, rows in articles.items():
            yield from _timed(title.split("#")[0].removeprefix("/wiki/"), rows)


def _timed(title: str, rows: Sequence[Row]) -> Iterator[Row]:
    """What is unanswerable is asked about the surroundings of another question's answer."""
    places = [row["from"][0] for row in rows if row["targets"] != [""]]
    rng = random.Random(title)
    for row in rows if places else ():
        answered = row["targets"] != [""]
        place = row["from"][0] if answered else rng.choice(places)
        answers = [written(answer) for answer in row["targets"]] if answered else []
        yield _row("en", title, _surroundings(row, place), row["question"], answers)


def _surroundings(article: Row, place: int) -> str:
    """The paragraph at that character of an article, with as many around it as there is room for, and its title."""
    texts = [paragraph["text"].strip() for paragraph in article["paragraphs"]]
    starts = [max(0, article["context"].find(text[:50])) for text in texts]
    first = max((index for index, start in enumerate(starts) if start <= place), default=0)
    last = first + 1
    room = _AROUND - len(texts[first])
    while room > 0 and (first > 0 or last < len(texts)):
        if first > 0:
            first -= 1
            room -= len(texts[first])
        if last < len(texts):
            room -= len(texts[last])
            last += 1
    return "\n".join(written(text) for text in [article["paragraphs"][0]["title"], *texts[first:last]])


def omosqa(clone: Clone) -> Iterator[Row]:
    """Towns' pages for newcomers; the answer is up to three lines of them."""
    for language in ("de", "en"):
        for part in ("train", "dev", "test"):
            for row in json.loads(clone(f"dataset/languages/{language}/splits/{part}_{language}.json")):
                lines = [cleaned(line) for line in row["context"].split("\n")]
                told = sorted(row["answers"])
                if not told or (told[-1] - told[0] == len(told) - 1 and len(told) <= 3):
                    answers = ["\n".join(lines[index] for index in told)] if told else []
                    title = f"{row.get('city')}-{row.get('pageId')}"
                    yield _row(language, title, "\n".join(lines), row["question"], answers)


def boolq(clone: Clone) -> Iterator[Row]:
    """Questions of yes or no."""
    for row in json.loads(clone("CL_Benchmark/BoolQA/BoolQA/train.json")):
        question, passage = row["sentence"].removeprefix("question: ").split("\npassage: ", 1)
        title, _, text = passage.partition(" -- ")
        answer = "Yes" if row["label"] == "True" else "No"
        yield _row("en", title, written(text or passage), f"{question.rstrip('?')}?", [answer])


def faquad(clone: Clone) -> Iterator[Row]:
    """Portuguese, of universities' pages."""
    for part in ("train", "dev"):
        yield from _squad(clone(f"data/{part}.json"), "pt")


def swequad(clone: Clone) -> Iterator[Row]:
    """Swedish, of authorities' pages."""
    for part in ("training", "dev"):
        for row in json.loads(clone(f"data/{part}.json"))["data"]:
            right = [choice["text"] for choice in row["choices"] if choice["type"].lower() == "correct answer"]
            yield _row("sv", f"swequad:{cleaned(row['context'])[:60]}", row["context"], row["question"], right)


def norquad(clone: Clone) -> Iterator[Row]:
    """Norwegian: what was annotated, but for the texts of its validation and test parts."""

    def beginning(text: str) -> str:
        return re.sub(r"\W", "", text)[:150]

    kept = {
        beginning(row["context"])
        for part in ("validation", "test")
        for row in _squad(clone(f"data/evaluation/all/{part}_dataset_flattened.json"), "no")
    }
    for kind in ("news", "wikipedia"):
        for part in (1, 2):
            for row in _squad(clone(f"data/annotation/{kind}/answers_{part}.json"), "no"):
                if row["answers"] and beginning(row["context"]) not in kept:
                    yield row | {"document": f"norquad:{cleaned(row['context'])[:60]}"}
