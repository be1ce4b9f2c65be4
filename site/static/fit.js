/* Fits a page to a small screen and to paper.

   What is wider than its box scrolls in it. Such a box can be reached with the keyboard, says what it is, and has
   classes that say at which side there is more; course.css shows it. On paper everything is light, and answers are open. */
(() => {
  const KINDS = {
    ".course-figure": "Figure",
    pre: "Text",
    "div.math": "Formula",
    ":is(.pst-scrollable-table-container, .output:has(> table))": "Table", // of a text, and of a cell
  };

  function look(box) {
    const hidden = box.scrollWidth - box.clientWidth; // pixels, the sum of both sides
    const kind = Object.keys(KINDS).find(selector => box.matches(selector));
    box.tabIndex = hidden > 1 ? 0 : -1;
    box.role = hidden > 1 ? "group" : null;
    box.ariaLabel = hidden > 1 ? `${KINDS[kind]}, scrolls sideways` : null;
    box.classList.toggle("more-before", box.scrollLeft > 1);
    box.classList.toggle("more-after", hidden - box.scrollLeft > 1);
  }

  const watcher = new ResizeObserver(entries => entries.forEach(({target}) => look(target)));
  for (const box of document.querySelectorAll(Object.keys(KINDS).map(kind => `.bd-article ${kind}`).join())) {
    watcher.observe(box);
    box.addEventListener("scroll", () => look(box), {passive: true});
  }

  const page = document.documentElement;
  let theme, folded; // as they were before printing
  window.addEventListener("beforeprint", () => {
    theme = page.dataset.theme;
    page.dataset.theme = "light";
    folded = document.querySelectorAll(".bd-article details:not(.above-input, [open])");
    for (const each of folded) each.open = true;
  });
  window.addEventListener("afterprint", () => {
    page.dataset.theme = theme;
    for (const each of folded) each.open = false;
  });
})();
