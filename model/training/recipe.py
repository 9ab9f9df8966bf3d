"""What is trained on, in which order of magnitude, and how fast: every setting of a training."""

from dataclasses import dataclass, field

from model.training.packing import Shape

SHAPES = {
    "passage": Shape(windows=2, window=512, overlap=128, answers=320, filled=False),
    "page": Shape(windows=1, window=512, overlap=0, answers=400),
    "joined": Shape(windows=2, window=512, overlap=128, answers=500),
}
SHAPE_WEIGHTS = {"passage": 0.8, "page": 0.08, "joined": 0.12}

SOURCES = {  # files, or one language of a file
    "squad": ["squad11_train", "squad2_unans_train"],
    "shifts": ["squadshifts"],
    "articles": ["qed", "tydiqa:en", "afriqa:en", "quoref", "timeqa_human"],
    "judgements": ["boolq"],
    "leaflets": ["omosqa"],
    "forms": ["receipts"],
    "forms_sroie": ["sroie"],
    "tables": ["tatqa_dev", "hitab", "wikitables"],
    "pages": ["policyqa", "doc2dial_rc_val", "nq_oracle"],
    "stories": ["fairytaleqa"],
    "studies": ["covidqa"],
    "contracts": ["contract_nli"],
    "papers": ["generated"],  # PDFs read back: `python -m app.bench generated --split train`
    "summaries": ["scitldr"],
    "languages": ["squad_es", "squad_it", "xquad", "norquad", "norquad_train", "poquad", "swequad", "faquad"],
    "french": ["piaf", "afriqa:fr"],
    "german": ["xquad:de"],
    "chinese": ["drcd", "cmrc2018"],
    "further": ["tquad", "idkmrc", "iapp_th"],
}
MIXTURE = {
    "squad": 0.33,
    "shifts": 0.08,
    "articles": 0.1,
    "judgements": 0.01,
    "leaflets": 0.01,
    "forms": 0.05,
    "forms_sroie": 0.04,  # a sixth of all receipts, and half of `dev/forms`
    "papers": 0.045,
    "records": 0.02,
    "stories": 0.045,
    "studies": 0.015,
    "contracts": 0.02,
    "pages": 0.025,
    "tables": 0.025,
    "summaries": 0.01,
    "languages": 0.065,
    "french": 0.04,
    "german": 0.015,  # the smallest of the languages that are checked
    "chinese": 0.015,
    "further": 0.02,
    "text": 0.02,  # UL2
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Recipe:
    """The training's settings."""

    rank: int = 64
    steps: int = 1500
    documents: int = 16  # of a step
    warmup: int = 60
    learning_rate: float = 4e-4
    gain_learning_rate: float = 5e-4  # relative to the gain's usual size in Gemma, which runs from 0.6 to 320
    clip: float = 1.0
    seed: int = 3
    encoder_layers: int = 18  # of Gemma's 18, from the first on (`initialise.py`)
    frozen_encoder: bool = False  # the decoder alone learns: a step costs a third
    unanswerable: float = 0.85  # share of such questions that are asked: refusing is learned sooner than looking
    whole: float = 0.25  # share of questions that are shown the whole document, not the closest passages
    passages: int | None = None  # of a source at most: tokenising all takes minutes
    mixture: dict[str, float] = field(default_factory=lambda: dict(MIXTURE))

    def factor(self, step: int) -> float:
        """Of the learning rate at a step: linear warm-up, then a straight line to a thirtieth."""
        if step < self.warmup:
            return (step + 1) / self.warmup
        done = min(1.0, (step - self.warmup) / max(1, self.steps - self.warmup))
        return 0.03 + 0.97 * (1 - done)
