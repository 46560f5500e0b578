for (const still of document.querySelectorAll("[data-forklab]")) {
  const box = document.createElement("div");
  box.innerHTML = still.dataset.forklab;
  still.replaceWith(box);
  for (const dead of box.querySelectorAll("script:not([type])")) {
    const script = document.createElement("script");
    script.textContent = dead.textContent;
    dead.replaceWith(script);
  }
}
