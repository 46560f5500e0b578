// The rows of the class that fit all that is asked, in the order that is asked. Without scripts the form stays hidden,
// the heads are plain words, and every row is there.
(() => {
  const form = document.querySelector("form.filter");
  const rows = [...document.querySelectorAll(".grid tbody tr")];
  const fits = (row, { student, status, scenario }) =>
    row.cells[0].textContent.toLowerCase().includes(student.value.trim().toLowerCase()) &&
    (!status.value || row.dataset.s === status.value) &&
    (!scenario.value || row.cells[2 + Number(scenario.value)]?.className === "f");
  const filter = () => {
    let shown = 0;
    for (const row of rows) {
      row.hidden = !fits(row, form.elements);
      shown += !row.hidden;
    }
    form.querySelector("output").textContent = `${shown} of ${rows.length} students`;
  };
  // By score the lowest come first: they are who needs somebody. Who has no score yet is last, either way.
  const keys = {
    name: (row) => row.cells[0].textContent,
    score: (row) => parseFloat(row.cells[1].textContent),
  };
  const before = (one, other, way) => {
    if (Number.isNaN(one) || Number.isNaN(other)) return Number.isNaN(one) - Number.isNaN(other);
    return way * (typeof one === "string" ? one.localeCompare(other) : one - other);
  };
  const heads = [...document.querySelectorAll("th[data-sort]")];
  const sort = (head) => {
    const way = head.getAttribute("aria-sort") === "ascending" ? -1 : 1;
    for (const other of heads) other.removeAttribute("aria-sort");
    head.setAttribute("aria-sort", way > 0 ? "ascending" : "descending");
    const key = keys[head.dataset.sort];
    const sorted = rows.toSorted((one, other) => before(key(one), key(other), way));
    document.querySelector(".grid tbody").append(...sorted);
  };
  for (const head of heads) {
    const button = document.createElement("button");
    button.append(...head.childNodes);
    button.addEventListener("click", () => sort(head));
    head.append(button);
  }
  form.addEventListener("input", filter);
  form.addEventListener("submit", (event) => event.preventDefault());
  form.hidden = false;
  filter();
})();
