// What the tests ask of a page.
const all = (selector, of = document) => [...of.querySelectorAll(selector)];
const drawn = () => window.MathJax?.startup ? MathJax.startup.promise : Promise.resolve();
const style = (element) => getComputedStyle(element);

function formulas() {
  const text = document.querySelector("article").cloneNode(true);
  all("code, pre, script, mjx-container", text).forEach((node) => node.remove());
  const svgs = all("mjx-container svg");
  return {
    drawn: svgs.length,
    displayed: all('mjx-container[display="true"]').length,
    empty: svgs.filter((svg) => !svg.querySelector("path, use, rect, text")).length,
    wrong: all("mjx-merror, [data-mjx-error]").length,
    text: text.textContent,
  };
}

// Elements that reach over the edge of the screen and lie in no box that scrolls within it.
function wider() {
  all("details").forEach((fold) => { fold.open = true; });
  const width = innerWidth;
  const scrolls = (element) => {
    for (let box = element.parentElement; box !== document.body; box = box.parentElement)
      if (["auto", "scroll"].includes(style(box).overflowX) && !box.contains(document.querySelector("h1")))
        return box.getBoundingClientRect().right <= width + 1;
    return false;
  };
  const over = all("article *").filter((e) => {
    const { width: own, right } = e.getBoundingClientRect();
    return own && right > width + 1 && !scrolls(e);
  });
  const names = over.slice(0, 5).map((e) => `${e.tagName}: ${e.textContent.slice(0, 40)}`);
  return document.documentElement.scrollWidth > width ? ["the page", ...names] : names;
}

// Displayed formulas that are wider than their box, and those that moving the box moves.
function scrolled() {
  const boxes = all("div.math").filter((box) => box.scrollWidth > box.clientWidth + 1);
  const moved = boxes.filter((box) => {
    const formula = box.querySelector("mjx-container");
    const before = formula.getBoundingClientRect().right;
    box.scrollLeft = box.scrollWidth;
    const after = formula.getBoundingClientRect().right;
    return after < before && after <= innerWidth;
  });
  return { wide: boxes.length, moved: moved.length };
}

function first_screen() {
  const inside = (r) => r.width && r.top >= 0 && r.bottom <= innerHeight && r.left >= 0;
  const letters = all("article p, article td").filter((e) => inside(e.getBoundingClientRect()));
  return [
    document.querySelector("h1").getBoundingClientRect().top,
    all(".sidebar-tree a").filter((a) => inside(a.getBoundingClientRect())).length,
    letters.map((e) => e.textContent).join("").length,
  ];
}

// By WCAG 2: relative luminance of sRGB, and what is transparent mixed with what lies under it.
const rgba = (text) => {
  const [r, g, b, a = 1] = text.match(/[\d.]+/g).map(Number);
  return { rgb: [r, g, b], a };
};
const mixed = (over, under) => over.rgb.map((value, i) => value * over.a + under[i] * (1 - over.a));
function background(element) {
  if (!element) return [255, 255, 255];
  const own = rgba(style(element).backgroundColor);
  return own.a === 1 ? own.rgb : mixed(own, background(element.parentElement));
}
function luminance(rgb) {
  const [r, g, b] = rgb.map((v) => v / 255).map((v) => v <= 0.04045 ? v / 12.92 : ((v + 0.055) / 1.055) ** 2.4);
  return 0.2126 * r + 0.7152 * g + 0.0722 * b;
}
function contrast() {
  all("details").forEach((fold) => { fold.open = true; });
  const walk = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
  const pale = new Set();
  let letters = 0;
  while (walk.nextNode()) {
    const element = walk.currentNode.parentElement;
    const text = walk.currentNode.textContent.trim();
    if (!text || !element.checkVisibility({ visibilityProperty: true, opacityProperty: true })) continue;
    if (element.closest("script, style, noscript, mjx-container")) continue;
    const under = background(element);
    const pair = [mixed(rgba(style(element).color), under), under].map(luminance).sort((a, b) => b - a);
    const ratio = (pair[0] + 0.05) / (pair[1] + 0.05);
    letters += text.length;
    if (ratio < 4.5) pale.add(`${ratio.toFixed(2)} ${element.tagName}.${element.className}: ${text.slice(0, 30)}`);
  }
  return [luminance(background(document.body)) < 0.2, letters, [...pale].slice(0, 8)];
}

function focused() {
  const at = document.activeElement;
  const kinds = { ".sidebar-search": "search", "input[type=range]": "range", ".next-page": "next" };
  const kind = Object.keys(kinds).find((selector) => at.matches(selector));
  return [kind ? kinds[kind] : at.tagName, at.parentElement?.open ?? null];
}
const frame = () => document.activeElement.closest(".frames").querySelector("img").src;

function results() {
  const finished = /Search finished/.test(document.body.textContent);
  return finished && all("#search-results li a").map((a) => a.href);
}

function to_print() {
  const folds = all("details");
  const shut = folds.filter((fold) => ![...fold.children].at(-1).checkVisibility());
  const figures = new Set(all(".cell_output img").map((img) => img.src));
  return [figures.size, { all: folds.length, shut: shut.length }];
}
