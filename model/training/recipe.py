"""What is trained on, in which order of magnitude, and how fast: every setting of a training."""

from dataclasses import dataclass, field

from model.training.packing import Shape

SHAPES = {
    "passage": Shape(chunks=3, chunk_size=512, overlap=128, answers=480, filled=False),
    "page": Shape(chunks=1, chunk_size=512, overlap=0, answers=400),
    "joined": Shape(chunks=2, chunk_size=512, overlap=128, answers=500),
}
SHAPE_WEIGHTS = {"passage": 0.9, "page": 0.06, "joined": 0.04}

SOURCES = {  # files, or one language of a file
    "squad": ["squad11_train", "squad2_unans_train"],
    "shifts": ["squadshifts"],
    "articles": ["qed_dev", "timeqa_human", "onestopqa", "clapnq_dev"],
    "forms": ["receipts"],
    "forms_sroie": ["sroie"],
    "tables": ["tatqa_dev", "hitab", "wikitables"],
    "rows_of_tables": ["table_lookup", "fetaqa", "infotabs"],
    "judgements": ["tabfact", "fever_yesno", "pubmedqa", "sharc", "yesno_multi"],
    "reasons": ["wikiwhy", "plos_jats", "medquad", "csabstruct"],
    "turns": ["followups", "coqa_turns"],
    "near_misses": ["unans_swap"],
    "pages": ["policyqa", "doc2dial_rc_val", "nq_oracle"],
    "stories": ["fairytaleqa"],
    "studies": ["covidqa"],
    "contracts": ["contract_nli", "contracts_edgar"],
    "proposals": ["proposals", "rust_blog", "rustsec", "nodejs_minutes", "digitalgov"],
    "books": ["openstax", "carpentries", "opensource_guide", "ami_meetings", "mts_dialog"],
    "papers": ["arxiv_meta", "grobid_headers", "scitldr"],
    "languages": ["squad_es", "squad_it", "xquad", "norquad", "poquad"],
    "french": ["piaf", "service_public_fr", "travail_emploi_fr", "wikinews_fr"],
    "german": ["xquad:de", "gesetze_de", "schnitzler_letters", "klexikon"],
    "chinese": ["drcd", "cmrc2018", "laws_zh", "csl_zh"],
    "manuals": ["msdocs_multi", "react_docs_multi", "tldr_pages"],
    "further": ["tquad", "idkmrc", "iapp_th", "jaquad"],
}
REAL = "real"  # the kind of passages that real documents give (`real_documents.py`)
MIXTURE = {
    REAL: 0.515,
    "squad": 0.09,
    "shifts": 0.02,
    "articles": 0.02,
    "forms": 0.02,
    "forms_sroie": 0.01,
    "tables": 0.015,
    "rows_of_tables": 0.04,
    "judgements": 0.05,
    "reasons": 0.03,
    "turns": 0.03,
    "near_misses": 0.015,
    "pages": 0.01,
    "stories": 0.01,
    "studies": 0.005,
    "contracts": 0.015,
    "proposals": 0.015,
    "books": 0.01,
    "papers": 0.005,
    "languages": 0.015,
    "french": 0.015,
    "german": 0.015,
    "chinese": 0.01,
    "manuals": 0.005,
    "further": 0.005,
    "records": 0.005,
    "text": 0.005,  # UL2
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Recipe:
    """The training's settings."""

    rank: int = 64
    steps: int = 500
    documents: int = 12  # of a step
    warmup: int = 20
    learning_rate: float = 3e-4
    gain_learning_rate: float = 4e-4  # relative to the gain's usual size in Gemma, which runs from 0.6 to 320
    clip: float = 1.0
    seed: int = 3
    encoder_layers: int = 18  # of Gemma's 18, from the first on (`initialise.py`)
    frozen_encoder: bool = False  # the decoder alone learns: a step costs a third
    unanswerable: float = 0.85  # share of such questions that are asked: refusing is learned sooner than looking
    whole: float = 0.15  # share of questions that are shown the whole document, not the closest passages
    passages: int | None = None  # of a source at most: tokenizing all takes minutes
    mixture: dict[str, float] = field(default_factory=lambda: dict(MIXTURE))

    def factor(self, step: int) -> float:
        """Of the learning rate at a step: linear warm-up, then a straight line to a thirtieth."""
        if step < self.warmup:
            return (step + 1) / self.warmup
        done = min(1.0, (step - self.warmup) / max(1, self.steps - self.warmup))
        return 0.03 + 0.97 * (1 - done)
