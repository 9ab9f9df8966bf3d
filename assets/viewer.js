
// The pages: one below the other, drawn when they come near; zoom, words to select, and marks that are scrolled to.
const view = element.closest("#page");
const MOST_WAITS = 60;
const WIDE = 1300; // pixels: from here on the larger picture is fetched
const seen = new IntersectionObserver(draw, { root: view, rootMargin: "100% 0px" });
const drawn = new Map(); // page -> the picture and the words that are on its sheet now
let sheets = null; // the figure whose pages are watched
let source = ""; // where they come from: of another document elsewhere, in the same figure
let visit = "";
let shownPage = 0;
let zoom = 0; // 0: as wide as fits, up to the usual width
let fits = false; // beyond that, too
let quietUntil = 0; // scrolling that a person has not done tells nothing
let telling = 0;
let pending = null; // a page to go to when the pages can be seen

const bar = () => element.querySelector(".viewer");
const sheetOf = (page) => sheets?.querySelector(`.sheet[data-page="${page}"]`);

function update(waits = 0) {
  const now = bar();
  if (!now) return;
  const figure = document.querySelector("#pages-panel figure.pages");
  if (figure?.dataset.document !== now.dataset.document) {
    if (waits < MOST_WAITS) setTimeout(() => update(waits + 1), 50); // the other panel is drawn soon
    return;
  }
  if (figure !== sheets || figure.dataset.source !== source) watchSheets(figure);
  shownPage = Number(now.dataset.page);
  layMarks(now);
  if (now.dataset.visit !== visit) {
    visit = now.dataset.visit;
    goTo(now.dataset.page);
  }
  keepTyped(now);
}

function layMarks(now) {
  for (const old of sheets.querySelectorAll(".mark")) old.remove();
  for (const one of now.querySelectorAll(".places > .mark")) sheetOf(one.dataset.page)?.append(one.cloneNode());
}

// More of the document has been read: Gradio has added sheets, and taken away what it does not know of the others.
const redrawn = new MutationObserver(() => {
  const now = bar();
  if (!now || !sheets?.isConnected || sheets.dataset.source !== source) return;
  for (const sheet of sheets.children) {
    const lost = drawn.get(sheet.dataset.page)?.filter((part) => part.parentElement !== sheet) ?? [];
    sheet.prepend(...lost);
    seen.observe(sheet);
  }
  if (sheets.style.getPropertyValue("--sheet") !== sheetWidth()) resize();
  const marks = now.dataset.document === sheets.dataset.document ? now.querySelectorAll(".places > .mark").length : 0;
  if (marks !== sheets.querySelectorAll(".mark").length) layMarks(now);
  redrawn.takeRecords(); // what was done here
});
redrawn.observe(view, { childList: true, subtree: true });

function watchSheets(figure) {
  seen.disconnect();
  drawn.clear();
  for (const part of figure.querySelectorAll("img, .words")) part.remove(); // of the document before
  sheets = figure;
  source = figure.dataset.source;
  visit = "";
  resize();
  for (const sheet of sheets.children) seen.observe(sheet);
}

function goTo(page) {
  const sheet = sheetOf(page);
  if (!sheet) return;
  if (!view.clientHeight) {
    pending = page; // another tab is in front
    return;
  }
  const target = sheet.querySelector(".mark") ?? sheet;
  const above = target === sheet ? element.offsetHeight + 8 : view.clientHeight * 0.4;
  quietUntil = Date.now() + 800;
  view.scrollTop += target.getBoundingClientRect().top - view.getBoundingClientRect().top - above;
  if (target !== sheet) view.scrollLeft += target.getBoundingClientRect().left - view.getBoundingClientRect().left - 60;
}

function draw(entries) {
  if (pending && view.clientHeight) {
    goTo(pending);
    pending = null;
  }
  for (const { target: sheet, isIntersecting } of entries) {
    if (!isIntersecting) {
      for (const part of drawn.get(sheet.dataset.page) ?? []) part.remove(); // a long document fits no memory
      drawn.delete(sheet.dataset.page);
    } else if (!sheet.querySelector("img")) {
      const picture = document.createElement("img");
      picture.alt = sheet.dataset.said;
      sheet.prepend(picture);
      drawn.set(sheet.dataset.page, [picture]);
      refine(sheet);
      layWords(sheet);
    }
  }
}

function refine(sheet) {
  const width = sheet.clientWidth * devicePixelRatio > WIDE ? 2200 : 1100;
  const address = `${sheets.dataset.source}${sheet.dataset.page}/${width}`;
  const picture = sheet.querySelector("img");
  if (picture && !picture.src.endsWith(address)) picture.src = address;
}

async function layWords(sheet) {
  const answer = await fetch(`${sheets.dataset.source}${sheet.dataset.page}/words`);
  if (!answer.ok || sheet.querySelector(".words") || !sheet.querySelector("img")) return;
  const words = document.createElement("div");
  words.className = "words";
  words.dir = "ltr";
  words.translate = false;
  words.innerHTML = await answer.text(); // escaped where it is drawn
  sheet.querySelector("img").after(words);
  drawn.get(sheet.dataset.page)?.push(words);
  const spans = [...words.querySelectorAll("span")];
  const widths = spans.map((span) => span.offsetWidth);
  const whole = sheet.clientWidth;
  spans.forEach((span, at) => {
    const stretch = (span.style.getPropertyValue("--width") * whole) / (widths[at] || 1);
    span.style.transform = `scaleX(${stretch.toFixed(4)})`;
  });
}

const sheetWidth = () => (zoom ? `${zoom}px` : fits ? "100%" : "min(100%, 860px)");

function resize() {
  if (!sheets) return;
  sheets.style.setProperty("--sheet", sheetWidth());
  for (const sheet of sheets.querySelectorAll(".sheet:has(img)")) refine(sheet);
}

// The page that is looked at stays where it is while it grows.
function zoomTo(wanted, { toFit = false } = {}) {
  const sheet = sheetOf(shownPage);
  if (!sheet) return;
  const before = sheet.getBoundingClientRect();
  const at = (view.getBoundingClientRect().top + view.clientHeight / 2 - before.top) / before.height;
  zoom = toFit ? 0 : Math.min(4000, Math.max(160, wanted));
  fits = toFit;
  quietUntil = Date.now() + 500;
  resize();
  const after = sheet.getBoundingClientRect();
  view.scrollTop += after.top + at * after.height - view.getBoundingClientRect().top - view.clientHeight / 2;
}

const widthNow = () => sheetOf(shownPage)?.clientWidth ?? 0;

element.addEventListener("click", (click) => {
  const way = click.target.closest("[data-zoom]")?.dataset.zoom;
  if (way === "fit") zoomTo(0, { toFit: true });
  else if (way) zoomTo(widthNow() * (way === "in" ? 1.25 : 0.8));
  const link = click.target.closest("[data-link]");
  if (link && sheets) {
    const place = new URLSearchParams({ document: sheets.dataset.document, page: shownPage });
    navigator.clipboard?.writeText(`${location.origin}${location.pathname}#${place}`).then(() => {
      link.title = link.dataset.said;
      link.classList.add("said");
    });
  }
  if (click.target.closest("[data-print]")) {
    sheetOf(shownPage)?.classList.add("printed");
    document.body.classList.add("prints-page");
    print();
    document.body.classList.remove("prints-page");
    sheetOf(shownPage)?.classList.remove("printed");
  }
});

// Words are searched while they are typed. A bar that is drawn meanwhile knows those of before: what stands in the
// field stays. Enter searches at once, and goes on to the next place of what was searched.
const PAUSE_MS = 300; // between two letters
let sought = ""; // what the server was asked for, or has said
let soon = 0;
let typing = null; // the words in the field, and of which document, until the server has them
const isSearch = ({ target }) => target.dataset?.event === "seek";

function seek(field) {
  clearTimeout(soon);
  const words = field.value.trim();
  if (words === sought) return false;
  sought = words;
  trigger("seek", { value: words });
  return true;
}

function keepTyped(now) {
  const field = now.querySelector('[data-event="seek"]');
  const known = field.getAttribute("value") ?? "";
  const elsewhere = typing?.document !== now.dataset.document;
  if (elsewhere || typing.words.trim() === known) typing = null;
  if (typing) field.value = typing.words;
  else if (field.value.trim() !== known) field.value = known;
  if (!typing) sought = known;
}

for (const name of ["input", "compositionend"]) {
  element.addEventListener(name, (input) => {
    if (!isSearch(input) || input.isComposing) return;
    typing = { words: input.target.value, document: bar().dataset.document };
    clearTimeout(soon);
    soon = setTimeout(seek, PAUSE_MS, input.target);
  });
}

element.addEventListener("change", (change) => {
  if (!isSearch(change)) return;
  change.stopPropagation(); // the panel's own listener would search once more
  seek(change.target);
}, true);

element.addEventListener("keydown", (key) => {
  if (!isSearch(key) || key.key !== "Enter" || key.isComposing) return;
  if (!seek(key.target) && sought) trigger("step", { way: key.shiftKey ? "back" : "on" });
});

// A selection that begins on the pages stays on them: what lies around them cannot be selected meanwhile, and where it
// would reach beyond the words it ends at the last of them that the pointer was over.
let lastOver = null;
const onWords = (node) => node && view.contains(node) && (node.nodeType === 1 ? node : node.parentElement).closest(".words");

view.addEventListener("pointerdown", (press) => {
  if (press.button === 0 && press.target.closest(".words")) document.body.classList.add("selects-words");
});
for (const name of ["pointerup", "pointercancel"]) {
  window.addEventListener(name, () => document.body.classList.remove("selects-words"));
}
document.addEventListener("selectionchange", () => {
  const now = getSelection();
  if (!onWords(now.anchorNode)) lastOver = null;
  else if (onWords(now.focusNode)) lastOver = [now.focusNode, now.focusOffset];
  else if (lastOver?.[0].isConnected) now.extend(...lastOver);
});

view.addEventListener("wheel", (wheel) => {
  if (!wheel.ctrlKey || !sheets) return; // a pinch on a touchpad comes like this, too
  wheel.preventDefault();
  zoomTo(widthNow() * Math.exp(-wheel.deltaY / 300));
}, { passive: false });

const spread = ({ touches: [a, b] }) => Math.hypot(a.clientX - b.clientX, a.clientY - b.clientY);
let pinch = null;
view.addEventListener("touchstart", (touch) => {
  pinch = touch.touches.length === 2 ? { spread: spread(touch), width: widthNow() } : null;
}, { passive: true });
view.addEventListener("touchmove", (touch) => {
  if (!pinch || touch.touches.length !== 2) return;
  touch.preventDefault();
  zoomTo((pinch.width * spread(touch)) / pinch.spread);
}, { passive: false });

view.addEventListener("keydown", (key) => {
  if (key.target.matches("input") || key.target.closest(".heat")) return;
  const way = { ArrowLeft: "previous", ArrowRight: "next", PageUp: "previous", PageDown: "next" }[key.key];
  const button = way && element.querySelector(`button[data-focus="${way}"]:not(:disabled)`);
  if (button) button.click();
  else if (key.key === "+" || key.key === "-") zoomTo(widthNow() * (key.key === "+" ? 1.25 : 0.8));
  if (way) key.preventDefault();
});

view.addEventListener("scroll", () => {
  if (!sheets || Date.now() < quietUntil) return;
  clearTimeout(telling);
  telling = setTimeout(tell, 250);
}, { passive: true });

function tell() {
  const { left, top, width, height } = view.getBoundingClientRect();
  const under = document.elementsFromPoint(left + width / 2, top + height * 0.45).find((one) => one.matches(".sheet"));
  const page = Number(under?.dataset.page ?? 0);
  if (!page || page === shownPage) return;
  shownPage = page;
  trigger("scrolled", { document: sheets.dataset.document, page: String(page) });
}

// A link to a place of a document that this person has, or their library.
function openLinked() {
  const place = Object.fromEntries(new URLSearchParams(location.hash.slice(1)));
  if (!/^[0-9a-f]{64}$/.test(place.document ?? "")) return;
  if (!document.querySelector("#ask:not([disabled])")) setTimeout(openLinked, 200); // the tab has no session yet
  else trigger("open", { document: place.document, page: place.page ?? "1" });
}

watch("value", () => update());
update();
openLinked();
window.addEventListener("hashchange", openLinked);
