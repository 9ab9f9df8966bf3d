"""The line at the top: which checkpoint runs, and what it cannot do."""

from html import escape

from app.languages import Language
from app.serving.provider import CheckpointState
from model.errors import Message


def title(language: str = "en", direction: str = "ltr") -> str:
    """The name of the page and what it is for; `assets/window.js` gives the window its language from here."""
    return (
        '<button class="skip" data-skips>Go to the question</button>'
        f'<h1 class="wordmark" translate="no" data-language="{escape(language)}" data-direction="{direction}">Readonce'
        '</h1><p class="tagline">Read a document once, ask it anything.</p>'
    )


def banner(state: CheckpointState, language: Language = Language()) -> str:  # noqa: B008 - frozen
    said = f'<div class="notice"><p>{language.markup(state.notice)}</p>{_instead(state)}</div>' if state.notice else ""
    return f'<div class="banner {state.phase}" role="status"><div>{_sentence(state, language)}</div>{said}</div>'


def _sentence(state: CheckpointState, language: Language) -> str:
    name = f'<strong translate="no">{escape(state.name)}</strong>'
    if state.phase == "loading":
        loading = Message(
            "is loading: {stage}, {share:.0%}. Documents and questions that you bring now wait for it.",
            stage=state.stage,
            share=state.fraction,
        )
        return f'<span class="dot"></span>{name}<span class="about">{language.markup(loading)}</span>'
    if state.phase == "failed":
        return '<span class="dot"></span>No model runs. Documents can be looked at, but not questioned.'
    about = state.description.removeprefix(f"{state.name}: ")
    remarks = "".join(
        f'<p class="elsewhere">{language.markup(one)}</p>' for one in (state.offloaded, state.slow) if one
    )
    in_short = "Small offline model: check its answers" if state.name == "embedded" else "Check the model's answers"
    return (
        f'<details data-unfolds="about-model"><summary><span class="dot"></span><span>{in_short}</span>'
        f' <span class="more" role="img" aria-label="About this model">i</span></summary>'
        f'<div class="details"><p>{name}<span class="about">{escape(about)}</span></p>{remarks}</div></details>'
    )


def _instead(state: CheckpointState) -> str:
    return "" if state.phase == "failed" else "<p>The embedded checkpoint runs instead.</p>"
