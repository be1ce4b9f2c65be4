/* What a reader can do on a page without a kernel: guess before an answer unfolds, copy code, enlarge a figure, tick
   lessons, and find the place again. Without this script every page is whole, its answers folded.

   What is kept stays in the browser, as {place: {page, title, id}, ticked: [pages]}. */
(() => {
  const KEY = "sparse-neural-networks";
  const page = location.pathname.split("/").pop();
  const article = document.querySelector("article");
  const map = document.querySelector(".course-map"); // of the landing page

  function make(tag, properties, ...children) {
    const element = Object.assign(document.createElement(tag), properties);
    element.append(...children);
    return element;
  }

  const button = (words, properties) => make("button", {type: "button", ...properties}, words);
  const words = heading => heading.textContent.replace(/#$/, ""); // without the link at its end

  /* ------------------------------------------------------------------------------------------------------- guesses */

  /* Ask for a guess above a folded answer, <details data-guess="what is asked: a choice | another">, or for a number
     where there are no choices. The answer begins with the choice that is right, or the number is its first. */
  function ask(folded) {
    const [, question = "Your guess:", listed] = folded.dataset.guess.match(/^(?:(.+?[:?])(?: |$))?(.*)$/);
    const choices = listed ? listed.split(" | ") : [];
    const answer = folded.textContent.replace(folded.firstElementChild.textContent, "").trim();
    const begins = choice => answer.slice(0, choice.length).toLowerCase() === choice.toLowerCase();
    const number = answer.match(/\d+(,\d{3})*(\.\d+)?/)?.[0];
    const right = choices.find(choice => begins(choice) && !/^\w/.test(answer.slice(choice.length))) ?? number;

    const controls = choices.map(choice => make("button", {value: choice}, choice));
    const box = make("input", {type: "number", step: "any", required: true, autocomplete: "off", ariaLabel: question});
    const asked = make("fieldset", {}, make("legend", {}, question));
    asked.append(...(listed ? controls : [box, make("button", {}, "Guess")]));
    const said = make("p", {role: "status"});
    const form = make("form", {className: "guess"}, asked, said);
    form.addEventListener("submit", event => {
      event.preventDefault();
      said.textContent = verdict(listed ? event.submitter.value : box.value, right);
      for (const choice of controls) choice.ariaPressed = String(choice === event.submitter);
      folded.open = true;
    });
    folded.before(form);
  }

  function verdict(guess, right) {
    const [guessed, number] = [guess, right].map(text => Number(text.replaceAll(",", ""))); // NaN for a choice
    if (guess === right || guessed === number) return "Right.";
    if (Number.isNaN(number)) return `No: ${right}.`;
    if (Math.abs(guessed - number) <= 0.1 * number) return `Close: ${right}.`;
    return `Too ${guessed > number ? "high" : "low"}: ${right}.`;
  }

  /* ---------------------------------------------------------------------------------------------- code and figures */

  function letCopy(code) {
    const copy = button("Copy", {className: "copy", ariaLive: "polite"});
    copy.addEventListener("click", async () => {
      await navigator.clipboard.writeText(code.querySelector("pre").textContent);
      copy.textContent = "Copied";
      setTimeout(() => (copy.textContent = "Copy"), 2000);
    });
    code.append(copy);
  }

  const large = make("dialog", {className: "large", ariaLabel: "Figure"});
  large.addEventListener("click", () => large.close());

  function letEnlarge(figure) {
    const enlarge = button("Enlarge", {className: "enlarge"});
    for (const way of [figure, enlarge])
      way.addEventListener("click", () => {
        const copy = make("img", {src: figure.src, alt: figure.alt});
        copy.style.setProperty("--width", `${figure.getAttribute("width")}px`);
        large.replaceChildren(button("Close"), copy);
        large.showModal();
      });
    figure.closest(".output").append(enlarge);
  }

  /* ------------------------------------------------------------------------------------------------- what is kept */

  function kept() {
    try {
      return {ticked: [], ...JSON.parse(localStorage.getItem(KEY))};
    } catch {
      return {ticked: []}; // a browser that keeps nothing
    }
  }

  function keep(changes) {
    try {
      localStorage.setItem(KEY, JSON.stringify({...kept(), ...changes}));
    } catch {} // the page is as good without
  }

  function keepPlace() {
    const headings = [...article.querySelectorAll("h1, h2, h3, h4")];
    const here = headings.findLast(heading => heading.getBoundingClientRect().top < innerHeight / 2) ?? headings[0];
    const title = here === headings[0] ? words(here) : `${words(headings[0])}, at “${words(here)}”`;
    keep({place: {page, title, id: here.closest("section").id}});
  }

  function letTick() {
    const box = make("input", {type: "checkbox", autocomplete: "off"});
    box.addEventListener("change", () => {
      const others = kept().ticked.filter(other => other !== page);
      keep({ticked: box.checked ? [...others, page] : others});
    });
    const note = "The first page shows it. It stays in this browser.";
    article.append(make("p", {className: "tick"}, make("label", {}, box, "I have done this lesson."), ` ${note}`));
    addEventListener("pageshow", () => (box.checked = kept().ticked.includes(page)));
  }

  function letGoOn() {
    const links = [...map.querySelectorAll("a")];
    const line = make("p", {className: "kept", tabIndex: -1});
    document.querySelector(".buttons").after(line);
    const forget = () => {
      localStorage.removeItem(KEY);
      show();
      line.append("Nothing is kept.");
      line.focus(); // the button is gone
    };
    function show() {
      const {place, ticked} = kept();
      const done = links.filter(link => ticked.includes(link.href.split("/").pop()));
      for (const mark of map.querySelectorAll(".done")) mark.remove();
      for (const link of done) link.after(make("span", {className: "done"}, "✓ done"));
      line.replaceChildren();
      const href = `notebooks/${place?.page}#${place?.id}`;
      if (place) line.append("Go on with ", make("a", {href}, place.title), ". ");
      if (done.length) line.append(`${done.length} of ${links.length} done. `);
      if (line.hasChildNodes()) line.append(button("Forget this", {onclick: forget}));
    }
    addEventListener("pageshow", show);
  }

  document.querySelectorAll("details[data-guess]").forEach(ask);
  if (navigator.clipboard) document.querySelectorAll("div:not(.output) > .highlight").forEach(letCopy);
  document.querySelectorAll(".cell_output img").forEach(letEnlarge);
  document.body.append(large);
  if (map) letGoOn();
  if (!/^\d\d_/.test(page)) return;
  letTick();
  addEventListener("visibilitychange", () => document.hidden && keepPlace());
})();
