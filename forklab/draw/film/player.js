// Plays the films of this page. Each .forklab-film holds one picture, dressed as its last frame, and the changes from
// frame to frame as JSON. Without this script the last frame stays, with its caption and all output.
(() => {
  const PAUSE = 1100; // ms between two frames

  class Film {
    constructor(root) {
      this.root = root;
      this.story = JSON.parse(root.querySelector("script[type='application/json']").textContent);
      this.find = (name) => root.querySelector(`.film-${name}`);
      this.svg = root.querySelector("svg");
      const groups = [...this.svg.querySelectorAll("g > g")];
      this.lines = groups.slice(0, this.story.lines);
      this.cards = groups.slice(this.story.lines);
      this.written = [...root.querySelectorAll(".film-output div")];
      this.slider = this.find("time");
      this.slider.max = this.story.frames.length - 1;
      // JupyterLab would take their keys: it asks nobody but who has the focus.
      for (const place of root.querySelectorAll("button, input, [tabindex]")) place.dataset.lmSuppressShortcuts = "true";
      this.timer = null;
      this.find("controls").hidden = false;
      this.find("play").onclick = () => this.toggle();
      this.find("back").onclick = () => this.step(-1);
      this.find("forward").onclick = () => this.step(1);
      this.slider.oninput = () => { this.pause(); this.show(Number(this.slider.value)); };
      root.onkeydown = (event) => this.press(event);
      this.show(this.story.start);
    }

    // Frames hold what is new in them, so a frame is what all up to it say.
    show(number) {
      const cards = new Map(), lines = new Map();
      for (const frame of this.story.frames.slice(0, number + 1)) {
        for (const [card, ...looks] of frame.cards) cards.set(card, looks);
        for (const [line, looks] of frame.lines) lines.set(line, looks);
      }
      const frame = this.story.frames[number];
      this.lines.forEach((group, place) => group.setAttribute("class", lines.get(place) ?? "absent"));
      this.cards.forEach((group, place) => this.dress(group, cards.get(place), frame.actors.includes(place)));
      this.written.forEach((line) => { line.hidden = Number(line.dataset.frame) > number; });
      this.find("output")?.classList.toggle("film-silent", this.written.every((line) => line.hidden));
      this.find("clock").textContent = frame.clock;
      this.find("words").textContent = frame.caption;
      this.number = number;
      this.slider.value = number;
      this.slider.setAttribute("aria-valuetext", `${number + 1} of ${this.story.frames.length}: ${frame.caption}`);
      this.find("count").textContent = `${number + 1} / ${this.story.frames.length}`;
      this.svg.setAttribute("aria-label", this.aloud(cards));
      this.follow(frame.actors);
    }

    dress(group, looks, acts) {
      if (!looks) { group.setAttribute("class", "absent"); return; }
      group.setAttribute("class", looks[0] + (acts ? " actor" : ""));
      group.querySelectorAll(".words").forEach((line, place) => { line.textContent = looks[1][place] ?? ""; });
    }

    // Whoever acts comes into sight where the picture is wider than the page, and so does the newest output.
    follow(actors) {
      const output = this.find("output"), picture = this.svg.parentElement;
      if (output) output.scrollTop = output.scrollHeight;
      if (!actors.length || picture.scrollWidth <= picture.clientWidth) return;
      const frame = picture.getBoundingClientRect(), card = this.cards[actors[0]].getBoundingClientRect();
      if (card.right > frame.right) picture.scrollLeft += Math.min(card.right - frame.right, card.left - frame.left);
      else if (card.left < frame.left) picture.scrollLeft -= frame.left - card.left;
    }

    // In the words of forklab.draw.text.read_aloud.
    aloud(cards) {
      const count = cards.size === 1 ? "1 process" : `${cards.size} processes`;
      const { names, pids } = this.story;
      const told = [...cards].sort(([one], [other]) => one - other).map(([card, [, words, parent]]) => {
        const pid = pids[card] ? `, pid ${pids[card]}` : "";
        const kin = parent === null ? "" : `, child of ${names[parent]}`;
        return `${names[card]}${pid}${kin}: ${words.join(" ").replaceAll(" · ", ", ")}.`;
      });
      return `Process tree, ${count}. ${told.join(" ")}`;
    }

    step(by) {
      this.pause();
      this.show(Math.min(Math.max(this.number + by, 0), this.story.frames.length - 1));
    }

    toggle() {
      if (this.timer !== null) { this.pause(); return; }
      const last = this.story.frames.length - 1;
      if (this.number === last) this.show(0);
      this.timer = setInterval(() => {
        if (this.number < last && this.root.isConnected) this.show(this.number + 1);
        else this.pause();
      }, PAUSE);
      this.find("play").textContent = "Pause";
    }

    pause() {
      clearInterval(this.timer);
      this.timer = null;
      this.find("play").textContent = "Play";
    }

    press(event) {
      if (event.ctrlKey || event.altKey || event.metaKey) return;
      const last = this.story.frames.length - 1, picture = this.svg.parentElement;
      if (event.target === picture && picture.scrollWidth > picture.clientWidth && event.key.startsWith("Arrow")) return;
      const upAndDown = { ArrowDown: () => this.step(-1), ArrowUp: () => this.step(1) }; // elsewhere they scroll
      const deeds = {
        ArrowLeft: () => this.step(-1), ArrowRight: () => this.step(1),
        ...(event.target === this.slider ? upAndDown : {}),
        Home: () => this.step(-last), End: () => this.step(last),
        " ": () => this.toggle(),
      };
      if (event.key === " " && event.target.tagName === "BUTTON") { event.stopPropagation(); return; }
      if (!(event.key in deeds)) return;
      event.preventDefault();
      event.stopPropagation(); // a notebook would move to another cell
      deeds[event.key]();
    }
  }

  for (const root of document.querySelectorAll(".forklab-film:not(.film-ready)")) {
    root.classList.add("film-ready");
    new Film(root);
  }
})();
