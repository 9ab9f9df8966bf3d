"""What a person with weak eyes, a narrow screen, or another language would complain of."""

from __future__ import annotations

import re

from playwright.sync_api import Page, expect

from app.languages import Languages
from tests.helpers.browser import SLOW, Visit

# Texts that stand out too little: WCAG 2.2, 1.4.3 (AA). Colours are laid over each other as the browser does.
HARD_TO_READ = """() => {
  const channels = (colour) => { const [r, g, b, a = 1] = colour.match(/[\\d.]+/g).map(Number); return [r, g, b, a]; };
  const over = ([r, g, b, a], below) => [r, g, b].map((c, i) => c * a + below[i] * (1 - a));
  const ground = (one) => {
    const layers = [];
    for (let at = one; at; at = at.parentElement) layers.unshift(channels(getComputedStyle(at).backgroundColor));
    return layers.reduce((below, layer) => over(layer, below), [255, 255, 255]);
  };
  const luminance = (colour) => colour.map((c) => c / 255)
    .map((c) => (c <= 0.04045 ? c / 12.92 : ((c + 0.055) / 1.055) ** 2.4))
    .reduce((sum, c, i) => sum + c * [0.2126, 0.7152, 0.0722][i], 0);
  const contrast = (one, style) => {
    const below = ground(one), lights = [luminance(below), luminance(over(channels(style.color), below))];
    return (Math.max(...lights) + 0.05) / (Math.min(...lights) + 0.05);
  };
  const weak = [];
  const check = (text, one, style) => {
    const seen = one.checkVisibility({ visibilityProperty: true }) && !one.closest(":disabled, script, style, .words");
    if (!text.trim() || !seen) return;
    const size = parseFloat(style.fontSize), large = size >= 24 || (size >= 18.66 && style.fontWeight >= 700);
    const found = contrast(one, style);
    if (found < (large ? 3 : 4.5)) weak.push(`${text.trim().slice(0, 40)}: ${found.toFixed(2)}`);
  };
  const texts = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
  while (texts.nextNode()) {
    const one = texts.currentNode.parentElement;
    check(texts.currentNode.data, one, getComputedStyle(one));
  }
  for (const field of document.querySelectorAll("[placeholder]"))
    check(field.placeholder, field, getComputedStyle(field, "::placeholder"));
  return weak;
}"""

# What reaches beyond the window, or makes a column scroll sideways. The row of tabs and of small pages may.
STICKS_OUT = """() => [...document.querySelectorAll("#head *, #columns *")].filter((one) => {
  const { left, right, width, height } = one.getBoundingClientRect();
  const sideways = one.matches("#page, #chat, #library, .conversation") && one.scrollWidth > one.clientWidth;
  const beyond = width && height && (left < -1 || right > innerWidth + 1);
  return (sideways || beyond) && !one.closest(".tab-wrapper, .strip");
}).map((one) => `${one.tagName} ${one.id} ${one.className}`)"""


def catalogue(locale: str) -> dict[str, str]:
    """The texts of a language as the page has them."""
    return dict(Languages().accepted(locale)._catalogue)  # type: ignore[arg-type]


def speaks(visit: Visit, said: dict[str, str]) -> None:
    """A fresh page in this language: fixed texts, banner, a question and a file that are refused."""
    page = visit.page
    expect(page.locator("#sample")).to_have_text(said["Try the sample document"])
    page.locator("#ask").click()
    expect(page.locator("#problem-panel")).to_contain_text(_beginning(said, "The question is empty"), timeout=SLOW)
    visit.drop(("program.exe", b"MZ\x90\x00" + bytes(200)))
    expect(page.locator(".messages")).to_contain_text(said["a Windows program"], timeout=SLOW)
    expect(page.locator(".banner.ready .about")).to_contain_text(_beginning(said, "a T5Gemma 2 that"), timeout=SLOW)
    nothing_is_english(page, said)


def nothing_is_english(page: Page, said: dict[str, str]) -> None:
    shown = page.locator("body").inner_text()
    assert [english for english in said if len(english) > 12 and english in shown] == []


def _beginning(said: dict[str, str], key: str) -> str:
    """The first words of the translation of what begins like this."""
    text = next(text for english, text in said.items() if english.startswith(key))
    return max(re.split(r"{\w+}", text), key=len)[:12].strip()
