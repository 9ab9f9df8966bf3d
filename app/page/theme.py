"""Colours, fonts and spacing: warm paper and ink. Only fonts of the system, so nothing is fetched."""

from typing import Any, Final

import gradio as gr
from gradio.themes.utils import colors, sizes

SANS: Final = ("system-ui", "-apple-system", "Segoe UI", "Noto Sans", "Helvetica", "sans-serif")
MONO: Final = ("ui-monospace", "SFMono-Regular", "Menlo", "Noto Sans Mono", "monospace")


def calm_theme() -> gr.themes.Base:
    theme = gr.themes.Base(
        primary_hue=colors.teal,
        neutral_hue=colors.stone,
        spacing_size=sizes.spacing_md,
        radius_size=sizes.radius_md,
        font=[gr.themes.Font(name) for name in SANS],
        font_mono=[gr.themes.Font(name) for name in MONO],
    )
    return theme.set(**_page(), **_controls())  # at once: a second `set` would put defaults back


def _page() -> dict[str, Any]:
    return {
        "body_background_fill": "#faf9f6",
        "body_background_fill_dark": "#1a1917",
        "body_text_color": "#26241f",
        "body_text_color_dark": "#e9e6df",
        "body_text_color_subdued": "#6f6a60",
        "body_text_color_subdued_dark": "#a39d91",
        "background_fill_primary": "#ffffff",
        "background_fill_primary_dark": "#232220",
        "background_fill_secondary": "#f4f2ec",
        "background_fill_secondary_dark": "#2a2926",
        "border_color_primary": "#e4e0d6",
        "border_color_primary_dark": "#3a3833",
        "block_background_fill": "#ffffff",
        "block_background_fill_dark": "#232220",
        "block_border_width": "0px",
        "block_shadow": "none",
    }


def _controls() -> dict[str, Any]:
    """White on green and grey on white, with a contrast of 4.5 at least (WCAG 2.2, AA)."""
    return {
        "input_background_fill": "#ffffff",
        "input_background_fill_dark": "#232220",
        "input_placeholder_color": "#6f6a60",
        "input_placeholder_color_dark": "#a39d91",
        "button_primary_background_fill": "#1f6a5a",
        "button_primary_background_fill_hover": "#18564a",
        "button_primary_background_fill_dark": "#267765",
        "button_primary_background_fill_hover_dark": "#2a806d",
        "button_primary_text_color": "#ffffff",
        "checkbox_background_color_selected": "#1f6a5a",
        "checkbox_background_color_selected_dark": "#2b8571",
        "checkbox_border_color_selected": "#1f6a5a",
        "checkbox_border_color_selected_dark": "#2b8571",
        "slider_color": "#1f6a5a",
        "slider_color_dark": "#2b8571",
        "button_secondary_background_fill": "#efece4",
        "button_secondary_background_fill_hover": "#e6e2d7",
        "button_secondary_background_fill_dark": "#33312d",
        "button_secondary_background_fill_hover_dark": "#3e3b36",
    }
