"""Public sets from clones of their repositories -> rows.

`python -m model.training.convert --clones FOLDER --data DATA`.

FOLDER holds a clone of each repository of `SETS`, bare or not, named `owner+name`. Licences: `assets/MODEL_CARD.md`.
"""

import argparse
import hashlib
import re
import subprocess
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from model.training import conversions as of
from model.training.conversions import Clone, Row, cleaned
from model.training.data import JUDGEMENTS, checked_rows, write_rows

_MOST_CONTEXT = 20_000  # characters


@dataclass(frozen=True, slots=True, kw_only=True)
class Set:
    """A set's repository, the commit that has its files where the newest lacks them, and what reads them."""

    repository: str
    rows: Callable[[Clone], Iterator[Row]]
    commit: str = "HEAD"


SETS: Mapping[str, Set] = {
    "qed": Set(
        repository="google-research-datasets/QED", commit="71e19e085640a2032c803a839d716f0a1b526bff", rows=of.qed
    ),
    "tydiqa": Set(repository="sagorbrur/tydiqa-language-specific", rows=of.tydiqa),
    "afriqa": Set(repository="masakhane-io/afriqa", rows=of.afriqa),
    "quoref": Set(repository="eladsegal/tag-based-multi-span-extraction", rows=of.quoref),
    "timeqa_human": Set(repository="wenhuchen/Time-Sensitive-QA", rows=of.timeqa),
    "omosqa": Set(repository="digitalfabrik/integreat-qa-dataset", rows=of.omosqa),
    "boolq": Set(repository="cmnfriend/O-LoRA", rows=of.boolq),
    "faquad": Set(repository="liafacom/faquad", rows=of.faquad),
    "swequad": Set(repository="dkalpakchi/SweQUAD-MC", rows=of.swequad),
    "norquad_train": Set(repository="ltgoslo/NorQuAD", rows=of.norquad),
}


def converted(name: str, clones: Path, checked: set[str]) -> Iterator[dict[str, Any]]:
    """Rows of a set; without those about an article of `checked`, and those whose answer the text does not have."""
    one = SETS[name]
    seen = set()
    for row in one.rows(_clone(clones / one.repository.replace("/", "+"), one.commit)):
        context, question = cleaned(row["context"]), cleaned(row["question"])
        answers = list(dict.fromkeys(cleaned(answer) for answer in row["answers"]))
        told = [answer for answer in answers if answer in JUDGEMENTS or _stands_in(answer, context)]
        key = hashlib.sha1(f"{context}\0{question}".encode()).hexdigest()[:12]
        usable = question and context and len(context) < _MOST_CONTEXT and bool(told) == bool(row["answers"])
        if usable and key not in seen and _title(row["document"]) not in checked:
            seen.add(key)
            yield {"id": key, "source": name, **row, "context": context, "question": question, "answers": told}


def _clone(folder: Path, commit: str) -> Clone:
    """Files of a clone by their path in it, without a work tree; of `/` at the end, the folder's."""

    def read(path: str) -> bytes:
        git = ["git", "-C", str(folder), "-c", "core.quotepath=off"]
        command = ["ls-tree", "-r", "--name-only", commit, path] if path.endswith("/") else ["show", f"{commit}:{path}"]
        return subprocess.run([*git, *command], capture_output=True, check=True).stdout

    return read


def _stands_in(answer: str, context: str) -> bool:
    return bool(answer) and re.search(rf"(?<![A-Za-z0-9]){re.escape(answer)}(?![A-Za-z0-9])", context) is not None


def _title(document: str) -> str:
    return document.replace("_", " ").lower()


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m model.training.convert", description=__doc__)
    parser.add_argument("--clones", type=Path, required=True, help="folder with the repositories, named owner+name")
    parser.add_argument("--data", type=Path, required=True, help="folder with dev/*.jsonl.gz; train/ is written")
    arguments = parser.parse_args()
    checked = {_title(row["document"]) for row in checked_rows(arguments.data)}
    for name in SETS:
        rows = list(converted(name, arguments.clones, checked))
        write_rows(arguments.data / "train" / f"{name}.jsonl.gz", rows)
        print(f"{name}: {len(rows)} questions, {sum(not row['answers'] for row in rows)} of them unanswerable")


if __name__ == "__main__":
    main()
