"""What each step of a training reads, ahead of time where other processes can prepare it."""

import random
from collections.abc import Iterator, Mapping

from torch.utils.data import DataLoader, Dataset, Subset

from model.training.mixture import Mixture
from model.training.packing import Batch, Shape, collate
from model.training.recipe import SHAPE_WEIGHTS, Recipe
from model.training.workers import Workers


class Batches(Dataset[Batch]):
    """By a step's number: this process's share of its documents, the same ones however often a training is resumed."""

    def __init__(self, mixture: Mixture, recipe: Recipe, shapes: Mapping[str, Shape], workers: Workers) -> None:
        self.mixture, self.recipe, self.shapes, self.workers = mixture, recipe, shapes, workers

    def __getitem__(self, step: int) -> Batch:
        rng = random.Random(self.recipe.seed * 1_000_003 + step)
        weights = [SHAPE_WEIGHTS[name] for name in self.shapes]
        shapes = rng.choices(list(self.shapes.values()), weights, k=self.recipe.documents)
        seeds = [rng.random() for _ in shapes]
        mine = self.workers.share(len(shapes))
        layouts = [self.mixture.document(shapes[index], random.Random(seeds[index])) for index in mine]
        return collate(layouts, [shapes[index].answers for index in mine])

    def coming(self, step: int, loaders: int) -> Iterator[Batch]:
        """From a step on, prepared by so many further processes: a GPU is faster than one can lay out."""
        steps = Subset(self, range(step, self.recipe.steps))
        ahead = 4 if loaders else None
        return iter(DataLoader(steps, batch_size=None, num_workers=loaders, prefetch_factor=ahead))
