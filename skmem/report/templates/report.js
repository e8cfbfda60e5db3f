"use strict";
(() => {
  const table = document.querySelector("table.sortable");
  if (!table) return;
  const body = table.tBodies[0], rows = [...body.rows], heads = [...table.tHead.rows[0].cells];

  // A number by its whole value, text in the reader's order; what is missing comes last either way.
  const number = (cell) => {
    const text = cell.dataset.value;
    if (text === undefined) return NaN;
    return Number(text.replace(/^(-?)inf$/, "$1Infinity"));
  };
  const comparison = (column, numeric, sign) => (a, b) => {
    if (!numeric) {
      const [x, y] = [a, b].map((row) => row.cells[column].textContent);
      return sign * x.localeCompare(y, undefined, { numeric: true });
    }
    const [x, y] = [a, b].map((row) => number(row.cells[column]));
    if (Number.isNaN(x) || Number.isNaN(y)) return Number.isNaN(x) - Number.isNaN(y);
    return x === y ? 0 : sign * (x < y ? -1 : 1);
  };
  const sort = (head, column) => {
    const numeric = head.classList.contains("number"), now = head.getAttribute("aria-sort");
    const up = now ? now === "descending" : !numeric;
    for (const other of heads) other.removeAttribute("aria-sort");
    head.setAttribute("aria-sort", up ? "ascending" : "descending");
    body.append(...rows.sort(comparison(column, numeric, up ? 1 : -1)));
  };
  heads.forEach((head, column) => {
    const button = document.createElement("button");
    button.type = "button";
    button.textContent = head.textContent;
    button.addEventListener("click", () => sort(head, column));
    head.replaceChildren(button);
  });

  const input = document.getElementById("filter"), shown = document.getElementById("n-shown");
  input.parentElement.hidden = false;
  input.addEventListener("input", () => {
    const wanted = input.value.trim().toLowerCase();
    for (const row of rows) {
      row.hidden = ![...row.cells].some((cell) => cell.textContent.toLowerCase().includes(wanted));
    }
    shown.textContent = `${rows.filter((row) => !row.hidden).length} of ${rows.length} rows`;
  });
})();
