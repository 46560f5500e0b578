// The rows of the class that fit all that is asked. Without scripts the form stays hidden and every row is there.
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
  form.addEventListener("input", filter);
  form.addEventListener("submit", (event) => event.preventDefault());
  form.hidden = false;
  filter();
})();
