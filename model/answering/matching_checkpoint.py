"""Whether encodings are the work of the checkpoint that shall answer from them."""

from collections.abc import Sequence

from model.checkpoints.checkpoint import Checkpoint
from model.encoding.memory import MemorySizes, sizes_for
from model.errors import EncodingError, QuestionError
from model.types import EncodedDocument


def check_encodings(encodings: Sequence[EncodedDocument], checkpoint: Checkpoint) -> None:
    """Raises QuestionError if there are none, EncodingError if one was made by another checkpoint."""
    if not encodings:
        raise QuestionError("No document is chosen: add one, or tick one that was read.")
    for encoded in encodings:
        if encoded.fingerprint != checkpoint.fingerprint:
            raise EncodingError(
                "{name} was read by another checkpoint ({theirs}) than the one "
                "in use ({model}, {ours}): read the document again.",
                name=encoded.document.name,
                theirs=encoded.fingerprint[:12],
                model=checkpoint.name,
                ours=checkpoint.fingerprint[:12],
            )
        _check_sizes(encoded, checkpoint)


def _check_sizes(encoded: EncodedDocument, checkpoint: Checkpoint) -> None:
    """A foreign encoding may bear the checkpoint's fingerprint and not be its work."""
    if (found := MemorySizes.of(encoded.memory)) != (needed := sizes_for(checkpoint.model)):
        raise EncodingError(
            "{name} is encoded in {theirs}, but the checkpoint in use has {ours}: read the document again.",
            name=encoded.document.name,
            theirs=found,
            ours=needed,
        )
    known = checkpoint.model.model.decoder.config.vocab_size
    if (largest := int(encoded.tokens.ids.max())) >= known:
        raise EncodingError(
            "{name} has token {theirs}, but the checkpoint in use knows {ours} tokens: read the document again.",
            name=encoded.document.name,
            theirs=largest,
            ours=known,
        )
