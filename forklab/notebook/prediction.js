// What the reader chooses is remembered until the tab is closed, and told to the answer, wherever it stands by then.
(window.forklabPredictions ??= (() => {
  const chosen = {};
  const recall = (question) => {
    try {
      return chosen[question] || sessionStorage.getItem(`forklab ${question}`) || "";
    } catch {
      return chosen[question] || ""; // a page can be refused the storage
    }
  };
  const remember = (question, choice) => {
    chosen[question] = choice;
    try {
      sessionStorage.setItem(`forklab ${question}`, choice);
    } catch {}
    document.dispatchEvent(new Event("forklab-choice"));
  };
  const asked = (box, mine) => {
    for (const field of box.querySelectorAll("input")) {
      if (field.type === "radio") field.checked = field.value === mine;
      else if (field !== document.activeElement) field.value = mine;
    }
    box.querySelector("p").textContent = `${mine ? `You say: ${mine}. Now` : "Choose, then"} run the program below.`;
  };
  const answered = (box, mine) => {
    box.dataset.said = !mine ? "none" : mine === box.dataset.right ? "right" : "wrong";
    for (const line of box.querySelectorAll("[data-verdict]")) line.hidden = line.dataset.verdict !== box.dataset.said;
    for (const line of box.querySelectorAll("[data-choice]")) {
      line.classList.toggle("answer-own", line.dataset.choice === mine);
    }
    box.querySelector(".answer-mine").textContent = mine;
  };
  const wake = () => {
    for (const box of document.querySelectorAll("[data-question]:not([data-awake])")) {
      const { question, mine } = box.dataset;
      const show = () => (box.matches("details") ? answered : asked)(box, recall(question));
      box.dataset.awake = "";
      // JupyterLab would take their keys: it asks nobody but who has the focus.
      for (const place of box.querySelectorAll("input, summary")) place.dataset.lmSuppressShortcuts = "true";
      if (mine) remember(question, mine);
      show();
      // JupyterLab takes out of the page what is out of sight: no search would find it there.
      document.addEventListener("forklab-choice", show);
      box.open = recall(question) !== "";
      box.oninput = ({ target: { type, value } }) => {
        remember(question, type === "text" ? value.split(/[\s,]+/).filter(Boolean).join(", ") : value);
      };
    }
  };
  document.addEventListener("forklab-answer", wake);
  return wake;
})())();
