// Behaviour of every panel: a control names its event in `data-event`, and its other data attributes travel with it.
const EVENTS = [
  "tick", "open", "forget", "undo_forget", "ask_forget_all", "forget_all", "cancel_forget_all", "undo_clear", "cancel", "dismiss", "suggest", "retry", "edit", "undo", "like", "save", "reread",
  "open_row", "take_answers", "save_marked", "open_place", "scrolled", "seek", "step", "choose_scope", "search_library", "sort_library", "open_stored", "remove_stored", "undo_removal",
  "open_conversation", "remove_conversation", "forget_library", "forget_library_now", "keep_library", "share_stored", "withdraw_shared", "take_shared",
];
const ELSEWHERE = ["open_row", "open_place"]; // what they lead to is in the first tab
const NARROW = 900;

function send(control, extra) {
  const { event, ...data } = { ...control.dataset, ...extra };
  if (EVENTS.includes(event)) trigger(event, data);
}

// The last question becomes a field: Enter asks what stands there, Escape leaves all as it was.
// What is being written outlives a panel that is redrawn meanwhile.
let draft = null;

function edit(button, text) {
  const question = button.closest(".exchange").querySelector(".question");
  const field = document.createElement("textarea");
  field.value = draft = text ?? question.textContent;
  field.className = "question editing";
  field.setAttribute("aria-label", button.dataset.said);
  field.rows = Math.min(8, 1 + Math.floor(field.value.length / 40));
  field.addEventListener("input", () => { draft = field.value; });
  field.addEventListener("keydown", (key) => {
    if (key.key === "Enter" && !key.shiftKey && !key.isComposing) {
      key.preventDefault();
      draft = null;
      trigger("edit", { question: field.value });
    } else if (key.key === "Escape") {
      draft = null;
      field.replaceWith(question);
    }
  });
  question.replaceWith(field);
  field.focus();
}

function editOn() {
  const button = element.querySelector("[data-edit]");
  if (draft !== null && button) edit(button, draft);
  else draft = null;
}

element.addEventListener("click", (click) => {
  const copied = click.target.closest("[data-copy]");
  if (copied) {
    const text = copied.closest(".exchange").querySelector(".answer").innerText;
    navigator.clipboard?.writeText(text).then(() => { copied.textContent = copied.dataset.said; });
    return;
  }
  const edited = click.target.closest("[data-edit]");
  if (edited) edit(edited);
  const button = click.target.closest("button[data-event]");
  if (!button) return;
  send(button);
  if (ELSEWHERE.includes(button.dataset.event) && !element.closest("#ask-tab")) {
    document.querySelector('#tabs [role="tab"]').click();
  }
  const jumps = ["open", "open_place"].includes(button.dataset.event) && !element.closest("#viewer-panel");
  if (jumps && window.innerWidth < NARROW) document.getElementById("page").scrollIntoView({ behavior: "smooth" });
});

element.addEventListener("change", (change) => {
  const field = change.target.closest("input[data-event], select[data-event]");
  if (!field) return;
  if (field.type === "checkbox") send(field, { on: String(field.checked) });
  else send(field, { page: field.value, value: field.value });
});

// One stop of the Tab key for a whole strip of cells; arrow keys go from cell to cell, Enter opens.
element.addEventListener("keydown", (key) => {
  const cell = key.target.closest(".heat .cell");
  const cells = cell ? [...cell.parentElement.children] : [];
  const at = cells.indexOf(cell);
  const way = { ArrowLeft: at - 1, ArrowRight: at + 1, Home: 0, End: cells.length - 1 }[key.key];
  if (!cell || way === undefined) return;
  key.preventDefault();
  key.stopImmediatePropagation();
  const to = cells[Math.min(Math.max(way, 0), cells.length - 1)];
  cell.tabIndex = -1;
  to.tabIndex = 0;
  to.focus();
});

// What a person has unfolded stays so when the panel is redrawn.
const unfolded = new Set();

element.addEventListener("toggle", (toggle) => {
  const key = toggle.target.dataset.unfolds;
  if (key && toggle.target.isConnected) unfolded[toggle.target.open ? "add" : "delete"](key);
}, true);

// A redrawn panel keeps the keyboard's place, and a conversation shows its end unless the person has scrolled up.
let held = null;
let atEnd = true;
let seenState = null; // of the newest answer: on a phone it is brought into view when it comes, and when it is done

element.addEventListener("focusin", (focus) => {
  held = focus.target.dataset.focus ?? null;
});
element.addEventListener("focusout", (focus) => {
  if (focus.relatedTarget) held = null;
});
element.addEventListener("scroll", (scroll) => {
  const box = scroll.target;
  atEnd = box.scrollHeight - box.scrollTop - box.clientHeight < 60;
}, true);

watch("value", () => {
  for (const one of element.querySelectorAll("details[data-unfolds]")) one.open = unfolded.has(one.dataset.unfolds);
  const again = held && `[data-focus="${CSS.escape(held)}"]`;
  if (again && !element.contains(document.activeElement)) element.querySelector(again)?.focus({ preventScroll: true });
  editOn();
  const log = element.querySelector(".conversation");
  if (log && atEnd) log.scrollTop = log.scrollHeight;
  const newest = element.querySelector(".exchange:last-of-type");
  const state = newest && `${element.querySelectorAll(".exchange").length} ${newest.className}`;
  if (newest && state !== seenState && window.innerWidth < NARROW) newest.scrollIntoView({ block: "end" });
  seenState = state;
});
