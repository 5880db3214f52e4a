"use strict";
// The page works without this file but for the masks, which it draws, and the keys.

const drawn = JSON.parse(document.getElementById("drawn")?.textContent ?? "null");
const by = id => document.getElementById(id);
const steps = [...document.querySelectorAll("[data-step]")];

/* Run lengths of COCO: column by column, beginning with 0, five bits a character. */
function runsOf(counts) {
  const runs = [];
  for (let at = 0; at < counts.length;) {
    let value = 0, shift = 0, more = true;
    while (more) {
      const bits = counts.charCodeAt(at++) - 48;
      value |= (bits & 31) << shift;
      more = (bits & 32) !== 0;
      shift += 5;
      if (!more && bits & 16 && shift < 32) value |= -1 << shift;
    }
    runs.push(runs.length > 2 ? value + runs[runs.length - 2] : value);
  }
  return runs;
}

/* Writes `mark` where a mask is, into pixels that lie row by row; where `within` is set, there only. */
function paint(pixels, [height, width], counts, mark, within) {
  let place = 0;
  runsOf(counts).forEach((run, number) => {
    if (number % 2) for (let p = place; p < Math.min(place + run, pixels.length); p++) {
      const at = (p % height) * width + Math.floor(p / height);
      if (!within || pixels[at]) pixels[at] = mark;
    }
    place += run;
  });
}

/* What is drawn of a mask: its pixels as a small canvas, the edges of its parts as a path. */
function shapeOf(layer) {
  const [height, width] = layer.size;
  const parts = new Uint16Array(height * width);
  paint(parts, layer.size, layer.counts, 1, false);
  layer.objects.forEach((counts, number) => paint(parts, layer.size, counts, 2 + number, true));
  const fill = document.createElement("canvas");
  fill.width = width;
  fill.height = height;
  const brush = fill.getContext("2d"), image = brush.createImageData(width, height);
  const colour = [1, 3, 5].map(at => parseInt(layer.colour.slice(at, at + 2), 16));
  const edges = new Path2D();
  for (let y = 0, at = 0; y < height; y++) for (let x = 0; x < width; x++, at++) {
    const part = parts[at];
    if (part) image.data.set([...colour, 255], 4 * at);
    if (part !== (x ? parts[at - 1] : 0)) { edges.moveTo(x, y); edges.lineTo(x, y + 1); }
    if (part !== (y ? parts[at - width] : 0)) { edges.moveTo(x, y); edges.lineTo(x + 1, y); }
    if (part && x === width - 1) { edges.moveTo(width, y); edges.lineTo(width, y + 1); }
    if (part && y === height - 1) { edges.moveTo(x, height); edges.lineTo(x + 1, height); }
  }
  brush.putImageData(image, 0, 0);
  return {fill, edges};
}

class Stage {
  constructor(canvas) {
    this.canvas = canvas;
    this.pictures = drawn.titles.map(() => null);
    this.shapes = new Map();
    this.image = 0;
    this.against = null; // number of the image at the right of the swipe
    this.swipe = 0.5;
    this.masks = true;
    this.alone = null; // number of the only layer to show, where one is pointed at
    this.current = -1; // step
    this.pinned = null; // layer
    this.waiting = false;
    new ResizeObserver(() => this.later()).observe(canvas);
    this.show(drawn.marked ? drawn.layers[0].images[0] : 0);
  }

  need(number) {
    if (this.pictures[number]) return;
    const picture = this.pictures[number] = new Image();
    picture.addEventListener("load", () => this.later());
    picture.src = `${this.canvas.dataset.pictures}${number}`;
  }

  later() {
    by("every").hidden = this.current < 0 && this.pinned === null;
    if (this.waiting) return;
    this.waiting = true;
    requestAnimationFrame(() => { this.waiting = false; this.draw(); });
  }

  draw() {
    const [height, width] = drawn.size, canvas = this.canvas;
    const across = Math.round((canvas.clientWidth || width) * (window.devicePixelRatio || 1));
    canvas.width = across;
    canvas.height = Math.round(across * height / width);
    const brush = canvas.getContext("2d");
    this.side(brush, this.image);
    if (this.against === null) return;
    const at = Math.round(this.swipe * across);
    brush.save();
    brush.beginPath();
    brush.rect(at, 0, across - at, canvas.height);
    brush.clip();
    this.side(brush, this.against);
    brush.restore();
    brush.fillStyle = "#fff";
    brush.fillRect(at - 1, 0, 2, canvas.height);
  }

  side(brush, number) {
    const {width, height} = this.canvas, picture = this.pictures[number];
    brush.fillStyle = "#000";
    brush.fillRect(0, 0, width, height);
    if (picture?.complete && picture.naturalWidth) {
      brush.imageSmoothingEnabled = picture.naturalWidth > 256;
      brush.imageSmoothingQuality = "high";
      brush.drawImage(picture, 0, 0, width, height);
    }
    if (!this.masks) return;
    const lit = this.alone ?? this.layerOf(this.current);
    drawn.layers.forEach((layer, which) => {
      if (!layer.images.includes(number)) return;
      if (which === lit) this.mask(brush, which, 0.45, 1);
      else if (this.alone === null && which < drawn.marked)
        lit < 0 ? this.mask(brush, which, 0.38, 1) : this.mask(brush, which, 0.06, 0.18);
    });
  }

  layerOf(step) { return step < 0 ? -1 : Number(steps[step].dataset.layer); }

  mask(brush, which, fill, line) {
    const layer = drawn.layers[which], [height, width] = layer.size;
    if (!this.shapes.has(which)) this.shapes.set(which, shapeOf(layer));
    const shape = this.shapes.get(which), across = brush.canvas.width / width, down = brush.canvas.height / height;
    brush.imageSmoothingEnabled = false;
    brush.globalAlpha = fill;
    brush.drawImage(shape.fill, 0, 0, brush.canvas.width, brush.canvas.height);
    const edges = new Path2D();
    edges.addPath(shape.edges, new DOMMatrix([across, 0, 0, down, 0, 0]));
    const ratio = window.devicePixelRatio || 1;
    brush.lineCap = "square";
    for (const [colour, thick, alpha] of [["#111", 3.2, 0.7], [layer.colour, 1.7, 1]]) {
      brush.globalAlpha = alpha * line;
      brush.strokeStyle = colour;
      brush.lineWidth = thick * ratio;
      brush.stroke(edges);
    }
    brush.globalAlpha = 1;
  }

  show(number) {
    this.image = number;
    if (this.against === number) this.swipeAgainst(null);
    document.querySelectorAll("#against option").forEach(option => option.disabled = option.value === String(number));
    this.need(number);
    document.querySelectorAll(".strip button").forEach(button =>
      button.setAttribute("aria-pressed", Number(button.dataset.image) === number));
    this.told();
    this.later();
  }

  told() {
    const names = [drawn.titles[this.image], ...(this.against === null ? [] : [drawn.titles[this.against]])];
    by("caption").textContent = names.join("  |  ");
    this.canvas.setAttribute("aria-label", names.join(" beside "));
  }

  swipeAgainst(number) {
    this.against = number;
    if (number !== null) this.need(number);
    by("against").value = number ?? "";
    by("swipe").hidden = number === null;
    this.canvas.parentElement.classList.toggle("swiping", number !== null);
    this.told();
    this.later();
  }

  go(step) {
    this.current = step;
    this.unpin();
    steps.forEach((one, number) => number === step ? one.setAttribute("aria-current", "true") : one.removeAttribute("aria-current"));
    if (step >= 0) {
      if (this.layerOf(step) >= 0) this.showOne(Number(steps[step].dataset.image));
      if (!this.masks) this.toggle();
      steps[step].scrollIntoView({block: "nearest"});
    }
    this.later();
  }

  /* Shows one mask until another, a step, or all are asked for. */
  pin(part) {
    const layer = Number(part.dataset.layer), again = this.pinned === layer;
    this.unpin();
    if (again) return this.later();
    this.pinned = layer;
    part.classList.add("on");
    if (!this.masks) this.toggle();
    this.pointAt(layer);
  }

  unpin() {
    this.pinned = this.alone = null;
    document.querySelectorAll(".part.on").forEach(one => one.classList.remove("on"));
  }

  /* Shows an image unless the swipe shows it already. */
  showOne(number) { if (number !== this.against && number !== this.image) this.show(number); }

  pointAt(layer) {
    this.alone = layer;
    const images = layer === null ? [] : drawn.layers[layer].images;
    if (images.length && !images.includes(this.image) && !images.includes(this.against)) this.show(images[0]);
    this.later();
  }

  toggle() {
    this.masks = !this.masks;
    by("masks").setAttribute("aria-pressed", this.masks);
    this.later();
  }
}

const stage = drawn && new Stage(by("canvas"));

if (stage) {
  steps.forEach((step, number) => step.addEventListener("click", () => stage.go(stage.current === number ? -1 : number)));
  by("masks").addEventListener("click", () => stage.toggle());
  by("every").addEventListener("click", () => stage.go(-1));
  for (const button of document.querySelectorAll(".strip button"))
    button.addEventListener("click", () => stage.show(Number(button.dataset.image)));
  for (const part of document.querySelectorAll(".part[data-layer]")) {
    const layer = Number(part.dataset.layer);
    part.addEventListener("pointerenter", event => event.pointerType === "mouse" && stage.pointAt(layer));
    part.addEventListener("pointerleave", event => event.pointerType === "mouse" && stage.pointAt(stage.pinned));
    part.addEventListener("click", () => stage.pin(part));
    part.addEventListener("keydown", event => { if (event.key === "Enter") part.click(); });
  }
  by("against")?.addEventListener("change", event => stage.swipeAgainst(event.target.value === "" ? null : Number(event.target.value)));
  by("swipe")?.addEventListener("input", event => { stage.swipe = event.target.value / 100; stage.later(); });
  const drag = event => {
    if (stage.against === null || !(event.buttons & 1)) return;
    const box = stage.canvas.getBoundingClientRect();
    stage.swipe = Math.min(1, Math.max(0, (event.clientX - box.left) / box.width));
    by("swipe").value = 100 * stage.swipe;
    stage.later();
  };
  stage.canvas.addEventListener("pointerdown", drag);
  stage.canvas.addEventListener("pointermove", drag);
}

function follow(link) {
  const found = document.querySelector(link);
  if (found) location.href = found.href;
}

function pressed(key) {
  if (key === "ArrowLeft") follow("a[rel=prev]");
  else if (key === "ArrowRight") follow("a[rel=next]");
  else if (key === "/") { by("search")?.focus(); if (!by("search")) follow("#back"); }
  else if (key === "?") by("keys").showModal();
  else if (!stage) return false;
  else if (["ArrowDown", "j"].includes(key)) stage.go(Math.min(steps.length - 1, stage.current + 1));
  else if (["ArrowUp", "k"].includes(key)) stage.go(Math.max(-1, stage.current - 1));
  else if (key === " ") stage.toggle();
  else if (key === "s" && drawn.titles.length > 1)
    stage.swipeAgainst(stage.against === null ? (stage.image + 1) % drawn.titles.length : null);
  else if (/^[1-9]$/.test(key) && drawn.titles[key - 1]) stage.show(key - 1);
  else if (key === "Escape") stage.current < 0 && stage.alone === null ? follow("#back") : stage.go(-1);
  else return false;
  return true;
}

document.addEventListener("keydown", event => {
  if (event.ctrlKey || event.altKey || event.metaKey || by("keys").open) return;
  if (event.target.matches("input, select, textarea")) {
    if (event.key === "Escape") event.target.blur();
    return;
  }
  if (event.key === " " && event.target.matches("button:not(.step), summary")) return;
  if (pressed(event.key)) event.preventDefault();
});
by("help").addEventListener("click", () => by("keys").showModal());
for (const choice of document.querySelectorAll(".filters select"))
  choice.addEventListener("change", () => choice.form.requestSubmit());
