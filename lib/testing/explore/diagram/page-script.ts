/**
 * What the page does in the browser, as the text of a script: a browser's names aren't known to the compiler here, and functions
 * whose text is taken come out changed where a bundler has been at them. All that can be computed before is in the page's data:
 * `lanes` are ids of lines, `steps` have for each step the lanes that it concerns, what it did to their lives, and a state.
 */
export const pageScript = String.raw`"use strict";
const byId = (id) => document.getElementById(id);
const data = JSON.parse(byId("data").textContent);
const items = [...document.querySelectorAll("#steps li")];
const rows = new Map([...document.querySelectorAll(".space-time .step")].map((row) => [Number(row.dataset.index), row]));
const arrows = [...document.querySelectorAll(".space-time .arrows .arrow")].map((element) => ({
  element,
  start: element.dataset.start === undefined ? -1 : Number(element.dataset.start),
  end: element.dataset.end === undefined ? Infinity : Number(element.dataset.end),
}));
const cells = [...document.querySelectorAll(".states tr")];
const isShown = (index) => index >= 0 && index < items.length && !items[index].classList.contains("hidden");
const pane = document.querySelector("main");
let current = -1;
let marked = -1;

// The newest life and state of each line at a step, found by walking back.
function statesAt(index) {
  const found = data.lanes.map(() => ({ state: undefined, at: -1, life: undefined }));
  let missing = 2 * found.length;
  for (let at = index; at >= 0 && missing > 0; at--) {
    const step = data.steps[at];
    for (const lane of step.lanes) {
      const entry = found[lane];
      if (entry.state === undefined && step.state !== undefined) [entry.state, entry.at, missing] = [step.state, at, missing - 1];
      if (entry.life === undefined && step.life !== undefined) [entry.life, missing] = [step.life, missing - 1];
    }
  }
  return found.map(({ state, at, life }, lane) => {
    const before = data.before[lane];
    return { state: state ?? before.state, at, life: life ?? before.life };
  });
}

function showStates(index) {
  const states = statesAt(index);
  cells.forEach((row, lane) => {
    const { state, at, life } = states[lane];
    const cell = row.cells[1];
    const isDown = life === "crashed" || life === "stopped";
    cell.textContent = isDown ? life + (state === undefined ? "" : ", was " + state) : (state ?? "no state yet");
    cell.className = isDown ? "down" : state === undefined ? "unknown" : "";
    row.classList.toggle("changed", at === index || (data.steps[index]?.lanes.includes(lane) ?? false));
  });
  byId("now").textContent = items[index]?.textContent ?? "";
}

// Marks a step in the picture, with the messages that are on their way while it happens.
function mark(index) {
  rows.get(marked)?.classList.remove("current");
  rows.get(index)?.classList.add("current");
  marked = index;
  for (const { element, start, end } of arrows) element.classList.toggle("now", start <= index && index <= end);
  showStates(index);
}

function choose(index, focus) {
  if (index < 0 || index >= items.length) return;
  items[current]?.classList.remove("current");
  items[current]?.removeAttribute("aria-current");
  rows.get(current)?.setAttribute("tabindex", "-1");
  current = index;
  const row = rows.get(index);
  items[index].classList.add("current");
  items[index].setAttribute("aria-current", "step");
  row?.setAttribute("tabindex", "0");
  mark(index);
  keepInSight(byId("steps"), items[index], 0);
  if (row !== undefined) showRow(row);
  if (focus) row?.focus({ preventScroll: true });
  byId("back").disabled = byId("first").disabled = neighbour(-1) === undefined;
  byId("forward").disabled = byId("last").disabled = neighbour(1) === undefined;
  try {
    history.replaceState(null, "", "#step=" + data.steps[index].step);
  } catch {}
}

// No further than needed, and nothing around the pane: in a narrow window the list is below the picture.
function keepInSight(pane, element, room) {
  const [inner, outer] = [element.getBoundingClientRect(), pane.getBoundingClientRect()];
  if (inner.top < outer.top + room) pane.scrollTop += inner.top - outer.top - room;
  else if (inner.bottom > outer.bottom - room) pane.scrollTop += inner.bottom - outer.bottom + room;
}

// Sideways only where the sign of the step isn't in sight.
function showRow(row) {
  keepInSight(pane, row.querySelector(".row"), Math.min(80, pane.clientHeight / 4));
  const x = Number(row.dataset.x);
  if (x < pane.scrollLeft + 60 || x > pane.scrollLeft + pane.clientWidth - 60) pane.scrollLeft = x - pane.clientWidth / 2;
}

function neighbour(direction, from = current) {
  for (let index = from + direction; index >= 0 && index < items.length; index += direction) if (isShown(index)) return index;
  return undefined;
}

const moves = {
  first: () => neighbour(1, -1),
  back: () => neighbour(-1),
  forward: () => neighbour(1),
  last: () => neighbour(-1, items.length),
  violation: () => data.violated,
};
const keys = {
  ArrowLeft: "back",
  ArrowUp: "back",
  ArrowRight: "forward",
  ArrowDown: "forward",
  Home: "first",
  End: "last",
  v: "violation",
};

function move(name, focus) {
  const index = moves[name]();
  if (index !== undefined) choose(index, focus);
}

for (const name of Object.keys(moves)) byId(name)?.addEventListener("click", () => move(name, false));
document.addEventListener("keydown", (event) => {
  const name = keys[event.key];
  const isTyping = event.target instanceof Element && event.target.matches("input, select");
  if (name === undefined || isTyping || event.ctrlKey || event.altKey || event.metaKey || event.shiftKey) return;
  event.preventDefault();
  move(name, event.target instanceof Element && event.target.closest(".step") !== null);
});

const indexOf = (event) => {
  const element = event.target instanceof Element ? event.target.closest("[data-index]") : null;
  return element === null ? undefined : Number(element.dataset.index);
};
for (const area of [byId("picture"), byId("steps")]) {
  area.addEventListener("click", (event) => {
    const index = indexOf(event);
    if (index !== undefined) choose(index, false);
  });
  area.addEventListener("pointerover", (event) => {
    const index = indexOf(event);
    if (index !== undefined && index !== marked) mark(index);
  });
  area.addEventListener("pointerleave", () => {
    if (marked !== current) mark(current);
  });
}
byId("picture").addEventListener("focusin", (event) => {
  const index = indexOf(event);
  if (index !== undefined && index !== current) choose(index, false);
});

// The names of lines stay in sight while the picture is scrolled.
const showNames = () => (byId("names").hidden = pane.scrollTop <= Number(byId("names").dataset.top));
pane.addEventListener("scroll", showNames, { passive: true });
showNames();

function filter() {
  const words = byId("search").value.toLowerCase().split(/\s+/).filter((word) => word !== "");
  const lane = byId("line").value === "" ? undefined : Number(byId("line").value);
  let count = 0;
  items.forEach((item, index) => {
    const text = item.textContent.toLowerCase();
    const fits = words.every((word) => text.includes(word)) && (lane === undefined || data.steps[index].touches.includes(lane));
    item.classList.toggle("hidden", !fits);
    rows.get(index)?.classList.toggle("dim", !fits);
    if (fits) count++;
  });
  const isFiltered = words.length > 0 || lane !== undefined;
  for (const { element, start, end } of arrows) {
    element.classList.toggle("dim", isFiltered && !isShown(start) && !isShown(end));
  }
  byId("count").textContent = isFiltered ? count + " of " + items.length + " steps" : items.length + " steps";
  if (isFiltered && !isShown(current)) choose(neighbour(1) ?? neighbour(-1) ?? current, false);
  else choose(current, false);
}
byId("search").addEventListener("input", filter);
byId("line").addEventListener("change", filter);

byId("copy")?.addEventListener("click", async () => {
  const command = byId("command");
  try {
    await navigator.clipboard.writeText(command.textContent);
    byId("copy").textContent = "Copied";
  } catch {
    getSelection().selectAllChildren(command);
    byId("copy").textContent = document.execCommand("copy") ? "Copied" : "Selected";
  }
  setTimeout(() => (byId("copy").textContent = "Copy"), 2000);
});

const named = /^#step=(\d+)$/.exec(location.hash);
const asked = named === null ? -1 : data.steps.findIndex(({ step }) => step === Number(named[1]));
filter();
choose(asked >= 0 ? asked : (data.violated ?? 0), false);
`;
