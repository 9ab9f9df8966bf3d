"""What Readonce is measured by: Gemma 3 270M, the model that the embedded checkpoint was made from, prompted."""

from collections.abc import Callable, Sequence
from pathlib import Path

import torch
from transformers import Gemma3ForCausalLM, PreTrainedTokenizerBase

from app.bench.rows import Row
from model.checkpoints.gemma3 import load_gemma
from model.checkpoints.placement import best_device, best_dtype
from model.checkpoints.quiet import quiet

NAME = "gemma-3-270m, prompted"
LONGEST_ANSWER = 48  # tokens
EXAMPLE = """Passage: The harbour museum of Lindesund opened on 14 May 1987 in a former rope factory. Its founder, the \
shipwright Ingrid Halvorsen, gave it 212 model ships.
Question: Who founded the harbour museum?
Answer: Ingrid Halvorsen
Question: When did the museum open?
Answer: 14 May 1987
Question: What had the building been before?
Answer: a rope factory

"""


def gemma_answers(rows: Sequence[Row], *, cache_folder: Path, report: Callable[[str], None]) -> list[str]:
    """Gemma's answer to each row: the first line after the example, the passage and the question; greedy."""
    report("loading Gemma 3 270M")
    device = best_device()
    with quiet():
        model, tokenizer = load_gemma(cache_folder, best_dtype(device))
    model.to(device)  # type: ignore[arg-type]  # transformers' wrapper of `to` hides its signature
    answers = []
    for number, row in enumerate(rows):
        report(f"Gemma 3 270M: {number:,} of {len(rows):,} rows")
        answers.append(_first_line(model, tokenizer, _prompt(row)))
    return answers


def _prompt(row: Row) -> str:
    return f"{EXAMPLE}Passage: {' '.join(row.context.split())}\nQuestion: {row.question.strip()}\nAnswer:"


@torch.inference_mode()
def _first_line(model: Gemma3ForCausalLM, tokenizer: PreTrainedTokenizerBase, prompt: str) -> str:
    """Greedy continuation up to the end of its first line, token by token on one key-value cache."""
    ids = torch.tensor([tokenizer(prompt)["input_ids"]], device=model.device)
    cache, written = None, list[int]()
    while len(written) < LONGEST_ANSWER:
        output = model(input_ids=ids, past_key_values=cache, use_cache=True, logits_to_keep=1)
        cache, token = output.past_key_values, int(output.logits[0, -1].argmax())
        if token == model.config.eos_token_id:
            break
        written.append(token)
        if "\n" in tokenizer.decode([token]):
            break
        ids = torch.tensor([[token]], device=model.device)
    return str(tokenizer.decode(written, skip_special_tokens=True)).partition("\n")[0].strip()
