// Pages work without this. With it: drafts are kept while typing, a preview follows the choice of fields, and what
// cannot be undone asks first.
(() => {
  "use strict";
  // A form that says data-confirm="question" asks before it is sent.
  document.addEventListener("submit", (event) => {
    const button = event.submitter;
    const question = button && button.dataset.confirm;
    if (question && !window.confirm(question)) event.preventDefault();
  });

  // data-keep: sent in the background a moment after the last change; the answer is a status line.
  for (const form of document.querySelectorAll("form[data-keep]")) {
    const status = document.getElementById(form.dataset.keep);
    let timer = 0;
    const keep = async () => {
      const body = new URLSearchParams(new FormData(form));
      body.set("do", "keep");
      try {
        const answer = await fetch(form.action, { method: "POST", body, headers: { accept: "text/plain" } });
        const text = await answer.text();
        if (!status) return;
        status.textContent = answer.ok ? text.split("\n")[0] : form.dataset.failed;
        const version = form.elements.namedItem("version");
        if (answer.ok && version) version.value = text.split("\n")[1] || version.value;
      } catch {
        if (status) status.textContent = form.dataset.failed;
      }
    };
    form.addEventListener("input", () => {
      window.clearTimeout(timer);
      timer = window.setTimeout(keep, 1500);
    });
    form.addEventListener("submit", () => window.clearTimeout(timer));
  }

  // data-preview="/path": a generated sample of the fields ticked now.
  for (const form of document.querySelectorAll("form[data-preview]")) {
    const place = document.getElementById("preview");
    if (!place) continue;
    let timer = 0;
    form.addEventListener("change", () => {
      window.clearTimeout(timer);
      timer = window.setTimeout(async () => {
        const query = new URLSearchParams();
        for (const box of form.querySelectorAll("input[name=field]:checked")) query.append("field", box.value);
        const answer = await fetch(form.dataset.preview + "?" + query, { headers: { accept: "text/plain" } });
        if (answer.ok) place.textContent = await answer.text();
      }, 200);
    });
  }
})();
