// Light, dark, or what the system says.

const KEPT = "devstack-theme";
const ORDER = ["system", "light", "dark"];

export const currentTheme = () => localStorage.getItem(KEPT) ?? "system";

export function applyTheme(theme = currentTheme()) {
  if (theme === "system") document.documentElement.removeAttribute("data-theme");
  else document.documentElement.dataset.theme = theme;
  localStorage.setItem(KEPT, theme);
}

export function nextTheme() {
  applyTheme(ORDER[(ORDER.indexOf(currentTheme()) + 1) % ORDER.length]);
}
