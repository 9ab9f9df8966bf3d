"""The code's words are the field's: names that this project once used for known things do not come back."""

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent

# The old name, and what the field calls the thing.
WORDS = {
    "heed": "raise_if_cancelled",
    "looks": "attention capture",
    "looking": "return_attention",
    "want": "return_attention",
    "sought": "first_token_attention",
    "Lanes": "F32x16",
    "paired_rows": "pack_vnni2",
    "quads": "pack_vnni4",
    "DEPTH": "TILE_K",
    "whole_depths": "round_up_k",
    "in_order": "compiler_barrier",
    "nibbles": "int4 codebook",
    "EightRows": "SplitInt16",
    "Company": "KeyBlockGroup",
    "GoesBy": "StreamedOperand",
    "Share": "ThreadRange",
    "large_pages": "huge_pages",
    "LargePages": "HugePages",
    "Rows": "RowOps",
    "NativeRows": "NativeRowOps",
    "side_by_side": "parallel_map",
    "resident": "weights_on_device",
    "elsewhere": "offloaded",
    "recording": "CudaGraph",
    "recordings": "CudaGraphPool",
    "lend": "acquire",
    "Recording": "CudaGraph",
    "Recordings": "CudaGraphPool",
    "take_back": "release",
    "Prefixes": "PrefixCache",
    "prefixes": "prefix_cache",
    "steady": "is_batch_invariant",
    "_begin_with_what_is_known": "_restore_prefix",
    "go_through": "forward",
    "pay": "is_faster",
    "Search": "BeamSearch",
    "growing": "live",
    "_WIDTH": "beam_width",
    "Asked": "QuestionContext",
    "_standing": "_proximity_features",
    "Ranking": "Reranker",
    "tells": "is_content_word",
    "function_words": "stop_words",
    "FUNCTION_WORDS": "STOP_WORDS",
    "memory_of": "build_memory",
    "only_rows": "select_tokens",
    "key_scales": "key_inv_rms",
    "read_off": "decode_answer",
    "_said_once": "_drop_repetition",
    "sees": "supports_vision",
    "blindness": "no_vision_message",
    "look_at_pages": "encode_page_images",
    "encode_window": "encode_chunk",
    "plan_windows": "plan_chunks",
    "adapt": "training",
    "low_rank": "lora",
    "LowRankLinear": "LoraLinear",
    "lookalike": "edited_question",
    "lookalikes": "edited_negatives",
    "neighbours": "neighbouring_negatives",
    "closest": "retrieve",
    "receipts": "provenance",
    "CheckpointChoice": "EngineProvider",
    "Turns": "EngineScheduler",
    "programs": "api",
    "objects": "schemas",
    "keeping": "export",
    "Shelf": "HandleStore",
    "shelf": "handle_store",
    "glance": "overview",
    "insight": "overview",
    "InsideTab": "OverviewTab",
    "quantise": "quantize",
    "quantised": "quantized",
    "dequantise": "dequantize",
    "tokenise": "tokenize",
    "tokenised": "tokenized",
}
CPP_WORDS = {  # in Python these have other meanings, too
    "strip": "weight panel, score block or column panel",
    "LEVEL": "int4 codebook",
    "Job": "Task",
    "held": "weights_on_device",
}
CPP_FILES = {"lanes": "simd.h", "columns": "token_major.h", "large_pages": "huge_pages", "nibbles": "int4_codebook.h"}


def python_files() -> list[Path]:
    return [ROOT / "app.py", *(path for package in ("app", "model") for path in (ROOT / package).rglob("*.py"))]


def names_of(path: Path) -> Iterator[tuple[str, int]]:
    """Every name that a file defines or uses, its modules' names included, with the line."""
    for part in path.relative_to(ROOT).with_suffix("").parts:
        yield part, 1
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        line = getattr(node, "lineno", 0)
        if isinstance(node, ast.Name):
            yield node.id, line
        elif isinstance(node, ast.Attribute):
            yield node.attr, line
        elif isinstance(node, ast.arg | ast.keyword):
            yield node.arg or "", line
        elif isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
            yield node.name, line
        elif isinstance(node, ast.alias):
            yield from ((name, line) for name in (*node.name.split("."), node.asname or ""))


def test_no_old_name_is_an_identifier_in_python() -> None:
    found = [
        f"{path.relative_to(ROOT)}:{line}: {name} (say {WORDS[name]})"
        for path in python_files()
        for name, line in names_of(path)
        if name in WORDS
    ]
    assert not found, "\n".join(found)


@pytest.mark.parametrize("path", sorted((ROOT / "model" / "kernels" / "src").glob("*.*")), ids=lambda path: path.name)
def test_no_old_name_is_an_identifier_in_cpp(path: Path) -> None:
    code = re.sub(r"//[^\n]*|/\*.*?\*/|\"[^\"\n]*\"", " ", path.read_text(encoding="utf-8"), flags=re.S)
    assert path.stem not in WORDS | CPP_FILES
    assert sorted(set(re.findall(r"\b[A-Za-z_]\w*\b", code)) & set(WORDS | CPP_WORDS)) == []
