"""The line at the top: which checkpoint runs, and what it cannot do."""

from html import escape

from app.serving.provider import CheckpointState


def banner(state: CheckpointState) -> str:
    notice = f'<div class="notice"><p>{escape(state.notice)}</p>{_instead(state)}</div>' if state.notice else ""
    return f'<div class="banner {state.phase}" role="status"><p>{_sentence(state)}</p>{notice}</div>'


def _sentence(state: CheckpointState) -> str:
    name = f'<strong translate="no">{escape(state.name)}</strong>'
    if state.phase == "loading":
        return (
            f'<span class="dot"></span>{name}<span class="about">is loading: {escape(state.stage)},'
            f" {state.fraction:.0%}. Documents and questions that you bring now wait for it.</span>"
        )
    if state.phase == "failed":
        return '<span class="dot"></span>No model runs. Documents can be looked at, but not questioned.'
    about = state.description.removeprefix(f"{state.name}: ")
    remarks = "".join(f' <span class="elsewhere">{escape(one)}</span>' for one in (state.offloaded, state.slow) if one)
    return f'<span class="dot"></span>{name}<span class="about">{escape(about)}</span>{remarks}'


def _instead(state: CheckpointState) -> str:
    return "" if state.phase == "failed" else "<p>The embedded checkpoint runs instead.</p>"
