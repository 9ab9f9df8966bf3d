"""The folder of encodings that all machines see, in the library's layout: what lies there is never encoded again."""

import hashlib
from pathlib import Path

from app.documents.reader import READER_VERSION
from app.library.files import EncodingName, FileStore
from model.encoder.plan import EncodingPlan
from model.encoding.file_format import save_encoding
from model.encoding.mapped import map_encoding
from model.errors import EncodingError
from model.types import EncodedDocument, Precision


class EncodingFolder:
    """Encodings named by what was read, by which checkpoint, in which numbers: whoever writes one writes the same."""

    def __init__(self, folder: Path, *, fingerprint: str, precision: Precision) -> None:
        self._files = FileStore(folder)
        self._fingerprint = fingerprint
        self._precision = precision
        try:
            self._files.make_folders()
        except OSError as error:
            raise EncodingError(
                "The cluster's folder {folder} cannot be used ({why}): set READONCE_CLUSTER to another.",
                folder=folder,
                why=error.strerror,
            ) from error

    def name(self, plan: EncodingPlan) -> EncodingName:
        """The name of the encoding of this plan: the file's hash, and that of the tokens that are read of it."""
        digest = hashlib.sha256(str(READER_VERSION).encode())
        for tensor in (plan.tokens.ids, plan.tokens.pages, plan.tokens.starts, plan.tokens.ends):
            digest.update(tensor.cpu().numpy().tobytes())
        return EncodingName(
            sha256=plan.document.sha256,
            reading=digest.hexdigest()[:12],
            fingerprint=self._fingerprint,
            precision=self._precision,
        )

    def has(self, name: EncodingName) -> bool:
        return self._files.encoding(name).exists()

    def put(self, name: EncodingName, encoded: EncodedDocument) -> None:
        """Write it durably: it is there whole, or not at all. Raises EncodingError."""
        save_encoding(encoded, self._files.encoding(name))

    def load(self, name: EncodingName) -> EncodedDocument:
        """The encoding, mapped: only what is used of it is read. Raises EncodingError where it is gone."""
        path = self._files.encoding(name)
        try:
            size = path.stat().st_size
        except OSError as error:
            raise EncodingError(
                "The encoding {name} is not in the cluster's folder ({why}): read the document again.",
                name=name,
                why=error.strerror,
            ) from error
        return map_encoding(path, size_bytes=size)
