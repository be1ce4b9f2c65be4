/* Panels that move on a page without a kernel. Each is drawn at many settings beforehand (panels.py). Its script of
   frames, which arrives when the panel nearly comes into view, has

     shared: definitions that all pictures use, as SVG;
     pieces: parts of pictures and of sentences;
     frames: for each setting a picture, its alternative text and the sentence below it, each as runs of pieces: from,
       to, from, to. The settings are counted like the digits of a number, the last control's turning fastest. */
(() => {
  const folder = new URL("panels/", document.currentScript.src);
  const PACE = 300; // milliseconds from picture to picture while a panel plays

  /* At which of how many places a control stands. */
  function stand(control) {
    if (control.type === "range") return [Number(control.value), Number(control.max) + 1];
    if (control.type === "button") return [Number(control.ariaPressed === "true"), 2];
    return [control.selectedIndex, control.options.length];
  }

  function joined(pieces, runs) {
    let text = "";
    for (let k = 0; k < runs.length; k += 2) text += pieces.slice(runs[k], runs[k + 1]).join("");
    return text;
  }

  function start(panel, {shared, pieces, frames}) {
    const controls = [...panel.querySelectorAll("input, select, [aria-pressed]")];
    const svg = panel.querySelector("svg"), sentence = panel.querySelector("[role=status]");
    svg.innerHTML = `<defs>${shared}</defs><g></g>`;

    function redraw() {
      let place = 0;
      for (const control of controls) {
        const [at, many] = stand(control);
        place = place * many + at;
        if (control.type === "range") {
          const name = control.dataset.names.split(" ")[at];
          control.ariaValueText = control.nextElementSibling.textContent = name;
        }
      }
      const [picture, alt, words] = frames[place].map(runs => joined(pieces, runs));
      svg.lastElementChild.innerHTML = picture;
      svg.ariaLabel = alt;
      sentence.textContent = words;
    }

    panel.addEventListener("input", redraw);
    for (const button of panel.querySelectorAll("[aria-pressed]"))
      button.addEventListener("click", () => {
        button.ariaPressed = String(button.ariaPressed !== "true");
        redraw();
      });
    const play = panel.querySelector(".panel-play");
    if (play) letPlay(play, panel.querySelector("input"), sentence, redraw);
    redraw();
    panel.inert = false;
  }

  /* A button that moves a slider on and on to its end, until it is pressed again or the slider is touched. */
  function letPlay(button, slider, sentence, redraw) {
    let timer = null;
    function stop() {
      clearInterval(timer);
      timer = null;
      button.textContent = "Play";
      sentence.ariaLive = "polite";
    }
    function move() {
      slider.stepUp();
      redraw();
      if (slider.value === slider.max) stop();
    }
    button.addEventListener("click", () => {
      if (timer) return stop();
      if (slider.value === slider.max) slider.value = 0;
      sentence.ariaLive = "off"; // nobody can listen to three sentences a second
      button.textContent = "Stop";
      timer = setInterval(move, PACE);
    });
    slider.addEventListener("input", stop);
  }

  function load(panel) {
    const script = document.createElement("script");
    script.src = new URL(panel.dataset.frames, folder);
    script.onload = () => start(panel, script.drawn);
    script.onerror = () => reveal(panel, false);
    document.head.append(script);
  }

  /* Show a panel in place of the note that it moves elsewhere, or the note. */
  function reveal(panel, live) {
    panel.hidden = !live;
    panel.nextElementSibling.hidden = live;
  }

  const watcher = new IntersectionObserver(
    entries => {
      for (const {isIntersecting, target} of entries) {
        if (!isIntersecting) continue;
        watcher.unobserve(target);
        load(target);
      }
    },
    {rootMargin: "100% 0px"},
  );
  for (const panel of document.querySelectorAll(".panel")) {
    reveal(panel, true);
    watcher.observe(panel);
  }
})();
