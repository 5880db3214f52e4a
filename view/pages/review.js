"use strict";
// The verdict of one item: chosen by keys or buttons, sent to this page's own address. view.js draws.

const told = JSON.parse(by("told").textContent);
const judged = {
  verdict: told.own?.verdict ?? null,
  reason: told.own?.reason ?? null,
  letter: told.own?.letter ?? null,
  wrong: new Set(told.own?.wrong_masks ?? []),
};
let asked = null; // "reason", "letter" or "mask": what the next key says
let sending = false;
const buttons = name => [...document.querySelectorAll(`.judging [data-${name}]`)];

function complete() {
  return judged.verdict === "accept" || (judged.verdict === "reject" && judged.reason) || (judged.verdict === "correct" && judged.letter);
}

function inWords() {
  const wrong = [...judged.wrong].sort((a, b) => a - b).map(number => number + 1);
  const masks = wrong.length ? `wrong: mask ${wrong.join(", ")}` : "";
  const verdict = {accept: "accepted", reject: `rejected: ${judged.reason ?? "why?"}`, correct: `right is ${judged.letter ?? "…?"}`}[judged.verdict];
  return [verdict, masks].filter(Boolean).join(" · ");
}

function say(words, bad = false) {
  by("said").textContent = words;
  by("said").classList.toggle("bad", bad);
}

function show() {
  for (const name of ["verdict", "reason", "letter"])
    buttons(name).forEach(one => one.setAttribute("aria-pressed", one.dataset[name] === judged[name]));
  buttons("mask").forEach(one => one.setAttribute("aria-pressed", judged.wrong.has(Number(one.dataset.mask))));
  by("reasons").hidden = judged.verdict !== "reject";
  by("letters").hidden = judged.verdict !== "correct";
  by("wrong").hidden = asked !== "mask" && !judged.wrong.size;
  by("mark")?.setAttribute("aria-expanded", !by("wrong").hidden);
  by("send").disabled = sending || !complete();
  say(inWords());
}

const choosing = {
  verdict(value) {
    judged.verdict = value;
    judged.reason = judged.letter = null;
    asked = {reject: "reason", correct: "letter"}[value] ?? null;
  },
  reason(value) { judged.reason = value; asked = null; },
  letter(value) { judged.letter = value; asked = null; },
  mask(value) {
    const number = Number(value);
    if (!judged.wrong.delete(number)) judged.wrong.add(number);
    asked = null;
  },
};

function choose(name, value) { choosing[name](value); show(); }

function askForMask() { asked = asked === "mask" ? null : "mask"; show(); }

async function send() {
  if (sending || !complete()) return;
  sending = true;
  show();
  const {verdict, reason, letter, wrong} = judged;
  try {
    const answer = await fetch("/verdict", {
      method: "POST",
      headers: {"Content-Type": "application/json", "X-Review-Token": told.token},
      body: JSON.stringify({item: told.item, verdict, reason, letter, wrong_masks: [...wrong].sort((a, b) => a - b)}),
    });
    if (!answer.ok) throw new Error(await answer.text());
    location.assign("/");
  } catch (error) {
    sending = false;
    show();
    say(`Not sent: ${error.message}`, true);
  }
}

/* What a key that was asked for says; null where it says nothing. */
function answered(key) {
  if (asked === "reason") return told.reasons[key - 1] ?? null;
  if (asked === "mask") return /^[1-9]$/.test(key) && key <= told.masks ? key - 1 : null;
  const letter = key.toUpperCase();
  return asked === "letter" && key.length === 1 && told.letters.includes(letter) && letter !== told.right ? letter : null;
}

function judgingKey(key) {
  const value = answered(key);
  if (value !== null) choose(asked, value);
  else if (key === "Enter") send();
  else if (key === "Escape" && asked) { asked = null; show(); }
  else if (asked === "letter" && key.toUpperCase() === told.right) say(`${told.right} is the answer as it stands: accept it`, true);
  else if (key === "a") choose("verdict", "accept");
  else if (key === "r") choose("verdict", "reject");
  else if (key === "c") choose("verdict", "correct");
  else if (key === "m" && told.masks) askForMask();
  else if (key === "u") follow("#back-one");
  else return false;
  return true;
}

document.addEventListener("keydown", event => {
  if (event.ctrlKey || event.altKey || event.metaKey || by("keys").open) return;
  if (event.target.matches("input, select, textarea")) return;
  if (event.key === "Enter" && event.target.matches("button, a, summary, [tabindex]")) return;
  if (!judgingKey(event.key)) return;
  event.preventDefault();
  event.stopImmediatePropagation(); // view.js has other uses for digits and letters
}, true);
for (const name of Object.keys(choosing))
  buttons(name).forEach(one => one.addEventListener("click", () => choose(name, one.dataset[name])));
by("mark")?.addEventListener("click", askForMask);
by("send").addEventListener("click", send);
for (const one of document.querySelectorAll(".judging button"))
  one.addEventListener("click", event => { if (event.detail) one.blur(); }); // Enter then sends
show();
