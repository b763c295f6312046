let g = 0;
addEventListener("keydown", (e) => {
  if (e.ctrlKey || e.metaKey || e.altKey || /INPUT|SELECT|TEXTAREA/.test(e.target.tagName)) return;
  const links = [...document.querySelectorAll(".doc h3 a, [data-row] a[href]:first-of-type, .toc a")].filter((a) => a.checkVisibility());
  const rows = links.some((a) => !a.closest(".toc")) ? links.filter((a) => !a.closest(".toc")) : links;
  const n = rows.indexOf(document.activeElement), to = Date.now() - g < 1500 && document.querySelector(`nav [data-key="${CSS.escape(e.key)}"]`);
  g = e.key === "g" ? Date.now() : 0;
  if (to) to.click();
  else if (e.key === "j" || e.key === "k") rows[Math.min(rows.length - 1, Math.max(0, n + (e.key === "j" ? 1 : -1)))]?.focus();
  else if (e.key === "o") rows[n]?.click();
  else if (e.key === "/") { e.preventDefault(); const q = document.querySelector("input[type=search]"); q ? q.focus() : document.querySelector('nav [data-key="/"]')?.click(); }
  else if (e.key === "?") { const d = document.querySelector(".keys"); if (d) { d.open = !d.open; d.firstElementChild.focus(); } }
});
