// Pictures follow the theme of their page: JupyterLab's, that of VS Code, else the system's.
(() => {
  const system = matchMedia("(prefers-color-scheme:dark)");
  const theme = () => {
    const { jpThemeLight, vscodeThemeKind } = document.body.dataset;
    if (jpThemeLight) return jpThemeLight === "true" ? "light" : "dark";
    if (vscodeThemeKind) return vscodeThemeKind.includes("light") ? "light" : "dark";
    return system.matches ? "dark" : "light";
  };
  const dress = () => {
    for (const picture of document.querySelectorAll("[data-forklab-theme]")) {
      picture.dataset.forklabTheme = picture.style.colorScheme = theme();
    }
  };
  dress();
  if (window.forklabFollowsTheme) return;
  window.forklabFollowsTheme = true;
  system.addEventListener("change", dress);
  new MutationObserver(dress).observe(document.body, {
    attributeFilter: ["data-jp-theme-light", "data-vscode-theme-kind"],
  });
})();
