"""What `/metrics` says, in Prometheus' format: sums of the receipts' numbers, and what is held and waits now."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from prometheus_client import CollectorRegistry, Counter, Histogram, ProcessCollector, generate_latest
from prometheus_client.core import GaugeMetricFamily
from prometheus_client.registry import Collector

if TYPE_CHECKING:  # only the values' types, so that a page that is opened does not wait for torch
    from model.types import Answer, EncodedDocument

_SECONDS = (0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0, 60.0, 120.0, 300.0)
CONTENT_TYPE = "text/plain; version=0.0.4; charset=utf-8"


@dataclass(frozen=True, slots=True, kw_only=True)
class Gauge:
    """A number that is read when `/metrics` is asked; its name, what it says, and how it is read."""

    name: str
    about: str
    read: Callable[[], float]


class Metrics:
    """The numbers of one running app. Safe to use from several threads."""

    def __init__(self) -> None:
        self._registry = registry = CollectorRegistry()

        def counter(name: str, about: str) -> Counter:
            return Counter(name, about, namespace="readonce", registry=registry)

        def seconds(name: str, about: str) -> Histogram:
            return Histogram(name, about, namespace="readonce", registry=registry, buckets=_SECONDS)

        self._documents = counter("read_documents", "Documents that the encoder has read")
        self._pages = counter("read_pages", "Their pages")
        self._tokens = counter("read_tokens", "Their tokens")
        self._reading = seconds("read_seconds", "What reading a document has cost the encoder, in seconds")
        self._reused = counter("reused_documents", "Documents that were brought again and not read again (cache hits)")
        self._answers = Counter(
            "answers", "Answers, by whether the document had one", ["found"], namespace="readonce", registry=registry
        )
        self._answering = seconds("answer_seconds", "What an answer has cost, in seconds, without waiting")
        self._first_token = seconds("first_token_seconds", "How much of that was over at its first token")
        self._shown = counter("answer_shown_tokens", "Document tokens that answers have attended to")
        self._read_again = counter("answer_encoder_tokens", "Document tokens that were encoded for an answer: always 0")
        ProcessCollector(registry=registry)

    def was_read(self, chunks: Sequence[EncodedDocument]) -> None:
        """Count a document that the encoder has read."""
        self._documents.inc()
        self._pages.inc(len(chunks[0].document.pages))
        self._tokens.inc(sum(chunk.token_count for chunk in chunks))
        self._reading.observe(sum(chunk.encode_seconds for chunk in chunks))

    def was_reused(self) -> None:
        """Count a document that was brought and needed no reading."""
        self._reused.inc()

    def was_answered(self, answer: Answer) -> None:
        """Count a finished answer."""
        self._answers.labels(found=str(answer.found).lower()).inc()
        self._answering.observe(answer.seconds)
        self._first_token.observe(answer.first_token_seconds)
        self._shown.inc(answer.shown_tokens)
        self._read_again.inc(answer.encoder_tokens)

    def watch(self, *gauges: Gauge) -> None:
        """From now on also say these numbers."""
        self._registry.register(_Gauges(gauges))

    def text(self) -> bytes:
        """All numbers as Prometheus reads them (`CONTENT_TYPE`)."""
        return generate_latest(self._registry)


class _Gauges(Collector):
    def __init__(self, gauges: Iterable[Gauge]) -> None:
        self._gauges = tuple(gauges)

    def collect(self) -> Iterable[GaugeMetricFamily]:
        for gauge in self._gauges:
            yield GaugeMetricFamily(f"readonce_{gauge.name}", gauge.about, gauge.read())
