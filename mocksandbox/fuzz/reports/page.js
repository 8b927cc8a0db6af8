"use strict";
(() => {
  const id = (name) => document.getElementById(name);
  const form = id("filter");
  const findings = [...document.querySelectorAll(".finding")];
  const rows = [...document.querySelectorAll(".row")];
  const outcomeOf = new Map(rows.map((row) => [row.querySelector("code").textContent, row.dataset.outcome]));

  const apply = () => {
    const words = id("search").value.toLowerCase().split(/\s+/).filter(Boolean);
    const severity = id("severity").value, kind = id("kind").value;
    const operation = id("operation").value, outcome = id("outcome").value;
    const says = (element) => words.every((word) => element.dataset.words.includes(word));
    let shown = 0, rules = 0;
    for (const finding of findings) {
      const { dataset } = finding;
      const fits = (!severity || dataset.severity === severity) && (!kind || dataset.kind === kind) &&
        (!operation || dataset.operation === operation) &&
        (!outcome || dataset.rules.split(" ").some((rule) => outcomeOf.get(rule) === outcome)) && says(finding);
      finding.hidden = !fits;
      shown += fits;
    }
    for (const row of rows) {
      row.hidden = !((!outcome || row.dataset.outcome === outcome) && says(row));
      rules += !row.hidden;
    }
    id("no-findings").hidden = shown > 0 || findings.length === 0;
    id("no-rules").hidden = rules > 0;
    id("shown").textContent = `${shown} of ${findings.length} findings, ${rules} of ${rows.length} rules`;
  };

  const openNamed = () => {
    const named = location.hash.length > 1 && id(decodeURIComponent(location.hash.slice(1)));
    if (!named || !named.classList.contains("finding")) return;
    if (named.hidden) form.reset();
    named.open = true;
    named.scrollIntoView();
  };

  form.addEventListener("input", apply);
  form.addEventListener("submit", (event) => event.preventDefault());
  form.addEventListener("reset", () => setTimeout(apply));
  const openAll = (open) => () => findings.forEach((finding) => { if (!finding.hidden) finding.open = open; });
  id("open-all").addEventListener("click", openAll(true));
  id("close-all").addEventListener("click", openAll(false));
  addEventListener("hashchange", openNamed);

  const copied = async (button) => {
    const text = button.parentElement.querySelector("pre");
    try {
      await navigator.clipboard.writeText(text.textContent);
      button.textContent = "Copied";
    } catch {
      getSelection().selectAllChildren(text);
      button.textContent = "Selected";
    }
    setTimeout(() => { button.textContent = "Copy"; }, 1500);
  };
  for (const button of document.querySelectorAll(".copy")) {
    button.hidden = false;
    button.addEventListener("click", () => copied(button));
  }

  form.hidden = false;
  apply();
  openNamed();
})();
