// A menu under a button, with arrow keys.

import { h } from "../core/dom.js";
import { icon } from "./icons.js";

let open = null;

/** `items`: {label, glyph, run, kind, disabled} or null for a line between. */
export function openMenu(anchor, items) {
  closeMenu();
  const menu = h("div", { class: "menu", role: "menu", popover: "manual" }, items.map(entry));
  anchor.setAttribute("aria-expanded", "true");
  document.body.append(menu);
  menu.showPopover();
  put(menu, anchor.getBoundingClientRect());
  menu.onkeydown = (event) => move(menu, event);
  open = { menu, anchor };
  setTimeout(() => addEventListener("pointerdown", outside), 0);
  addEventListener("scroll", closeMenu, { capture: true, once: true });
  menu.querySelector("[role=menuitem]:not(:disabled)")?.focus();
}

function entry(item) {
  if (!item) return h("hr", {});
  return h(
    "button",
    {
      type: "button", role: "menuitem", class: `menu-item ${item.kind ?? ""}`, disabled: Boolean(item.disabled), tabindex: "-1",
      onclick: () => {
        closeMenu();
        item.run();
      },
    },
    icon(item.glyph ?? ""),
    h("span", {}, item.label),
    item.note && h("span", { class: "menu-note" }, item.note),
  );
}

function put(menu, box) {
  const width = menu.offsetWidth;
  const height = menu.offsetHeight;
  const below = box.bottom + height + 8 < innerHeight;
  menu.style.setProperty("left", `${Math.max(8, Math.min(innerWidth - width - 8, box.right - width))}px`);
  menu.style.setProperty("top", `${below ? box.bottom + 4 : Math.max(8, box.top - height - 4)}px`);
}

function move(menu, event) {
  const items = [...menu.querySelectorAll("[role=menuitem]:not(:disabled)")];
  const at = items.indexOf(document.activeElement);
  const to = { ArrowDown: at + 1, ArrowUp: at - 1, Home: 0, End: items.length - 1 }[event.key];
  if (to !== undefined) items[(to + items.length) % items.length]?.focus();
  else if (event.key === "Escape" || event.key === "Tab") closeMenu();
  else return;
  event.preventDefault();
  event.stopPropagation();
}

const outside = (event) => open && !open.menu.contains(event.target) && closeMenu();

export function closeMenu() {
  if (!open) return;
  const { menu, anchor } = open;
  open = null;
  removeEventListener("pointerdown", outside);
  removeEventListener("scroll", closeMenu, { capture: true });
  anchor.removeAttribute("aria-expanded");
  if (menu.contains(document.activeElement)) anchor.focus();
  menu.remove();
}
