// Behaviour of the window as a whole: its language, keys that lead to places, and files, which reach the one field for
// them wherever they are dropped, pasted or chosen.
const FIELD = "#drop input[type=file]";
const JUNK = /^(\.|~\$|thumbs\.db$|desktop\.ini$)/i; // what systems and programs leave in folders
const waiting = [];
let travelling = false; // Gradio's field takes the next files when it has let go of the ones before
let passing = false;
const GIVEN_UP_MS = 4_000; // a field that is there for so long is free: its files did not arrive

const later = (call) => new Promise((done, failed) => call(done, failed));

async function filesIn(entry) {
  if (entry.isFile) return [await later((done, failed) => entry.file(done, failed))];
  const reader = entry.createReader();
  const found = [];
  for (;;) {
    const some = await later((done, failed) => reader.readEntries(done, failed)); // a hundred at a time
    if (!some.length) return found;
    for (const one of some) if (!JUNK.test(one.name)) found.push(...(await filesIn(one)));
  }
}

function bring(files) {
  const idle = !waiting.length;
  waiting.push(...files);
  if (idle) pass();
}

// Files that come while others travel wait until the server has these.
function pass(free = 0) {
  if (!waiting.length) return;
  const field = document.querySelector(FIELD);
  if (!field || (travelling && free < GIVEN_UP_MS)) {
    setTimeout(() => pass(field ? free + 200 : 0), 200);
    return;
  }
  const files = new DataTransfer();
  waiting.splice(0).forEach((file) => files.items.add(file));
  travelling = passing = true;
  field.files = files.files;
  field.dispatchEvent(new Event("change", { bubbles: true }));
  passing = false;
}

window.addEventListener("readonce:taken", () => { travelling = false; });

const bringsFiles = (drag) => drag.dataTransfer?.types.includes("Files") && !drag.target.closest?.("#csv");

for (const name of ["dragenter", "dragover", "dragleave", "drop"]) {
  window.addEventListener(name, (drag) => {
    if (!bringsFiles(drag)) return;
    drag.preventDefault(); // else the browser leaves the page for the file
    drag.stopPropagation();
    document.body.classList.toggle("dropping", name !== "drop" && !(name === "dragleave" && !drag.relatedTarget));
    if (name !== "drop") return;
    const items = [...drag.dataTransfer.items].filter((one) => one.kind === "file");
    const files = [...drag.dataTransfer.files];
    const entries = items.map((one) => one.webkitGetAsEntry?.());
    Promise.all(entries.map((entry, at) => (entry ? filesIn(entry) : [files[at]]))).then((found) => bring(found.flat()));
  }, true);
}

window.addEventListener("paste", (paste) => {
  const files = [...(paste.clipboardData?.files ?? [])];
  if (files.length) bring(files);
});

window.addEventListener("change", (change) => {
  const field = change.target;
  if (passing || !field.matches?.(`${FIELD}, input[data-brings]`)) return;
  change.stopPropagation();
  const files = [...field.files].filter((file) => !JUNK.test(file.name));
  field.value = "";
  bring(files);
}, true);

// Language and direction, as the server has chosen them.

function speak() {
  const { language, direction } = element.querySelector("[data-language]")?.dataset ?? {};
  if (language) Object.assign(document.documentElement, { lang: language, dir: direction });
}
watch("value", speak);
speak();

// Keys: "/" leads to the question box, Escape stops an answer.

const question = () => document.querySelector("#question textarea");

function goToQuestion() {
  if (!question()?.checkVisibility()) document.querySelector('#tabs [role="tab"]')?.click();
  setTimeout(() => question()?.focus(), 0);
}

element.addEventListener("click", (click) => {
  if (click.target.closest("[data-skips]")) goToQuestion();
});

window.addEventListener("keydown", (key) => {
  if (key.key === "Escape") document.querySelector("#stop")?.click();
  if (key.key !== "/" || key.ctrlKey || key.metaKey || key.target.matches("input, textarea, [contenteditable]")) return;
  key.preventDefault();
  goToQuestion();
});

// Who has just had a document read wants to ask, unless they are somewhere else on the page.

let readBefore = 0;
new MutationObserver(() => {
  const read = document.querySelectorAll("li.document").length;
  const isFree = [document.body, null].includes(document.activeElement) || document.activeElement.matches("#sample");
  if (read > readBefore && isFree && !window.matchMedia("(pointer: coarse)").matches) {
    question()?.focus({ preventScroll: true });
  }
  readBefore = read;
}).observe(document.body, { childList: true, subtree: true });

// Another tab may have changed what this one shows.

document.addEventListener("visibilitychange", () => {
  if (!document.hidden) document.querySelector("#refresh")?.click();
});
window.addEventListener("focus", () => document.querySelector("#refresh")?.click());
