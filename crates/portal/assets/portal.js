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

  // data-check="id": the same form, sent with do=check a moment after the last change; that part of the answer is shown.
  for (const form of document.querySelectorAll("form[data-check]")) {
    const place = document.getElementById(form.dataset.check);
    const status = document.getElementById("check-status");
    const text = form.querySelector("textarea");
    if (!place || !text) continue;
    let timer = 0;
    let turn = 0;
    const check = async () => {
      const mine = ++turn;
      const body = new URLSearchParams(new FormData(form));
      body.set("do", "check");
      if (status) status.textContent = form.dataset.checking;
      let said = "";
      try {
        const answer = await fetch(form.action, { method: "POST", body });
        const found = new DOMParser().parseFromString(await answer.text(), "text/html").getElementById(place.id);
        if (mine !== turn) return;
        if (found && !answer.redirected) {
          for (const alert of found.querySelectorAll("[role=alert]")) alert.removeAttribute("role");
          place.replaceChildren(...found.childNodes);
          const head = place.querySelector("h2, .done");
          const first = place.querySelector(".summary-of-faults h2, .done") || head;
          said = first ? first.textContent : "";
          const wrong = answer.status === 422;
          text.setAttribute("aria-invalid", String(wrong));
          text.closest(".field").classList.toggle("wrong", wrong);
          const note = document.getElementById("text-fault");
          if (note) note.hidden = !wrong;
        } else said = form.dataset.failed;
      } catch {
        said = form.dataset.failed;
      }
      if (status && mine === turn) status.textContent = said;
    };
    // Line numbers beside the text.
    const lines = document.createElement("pre");
    lines.className = "lines";
    lines.setAttribute("aria-hidden", "true");
    text.before(lines);
    let shown = 0;
    const renumber = () => {
      const count = text.value.split("\n").length;
      if (count !== shown) lines.textContent = Array.from({ length: count + 1 }, (_, at) => (at < count ? at + 1 : "")).join("\n");
      shown = count;
      lines.scrollTop = text.scrollTop;
    };
    renumber();
    text.addEventListener("scroll", renumber);
    text.addEventListener("input", () => {
      renumber();
      window.clearTimeout(timer);
      timer = window.setTimeout(check, 700);
    });
    form.addEventListener("submit", () => {
      window.clearTimeout(timer);
      turn++;
    });
    // A fault leads to its line.
    place.addEventListener("click", (event) => {
      const link = event.target.closest("a[data-line]");
      if (!link) return;
      event.preventDefault();
      const before = text.value.split("\n").slice(0, Number(link.dataset.line) - 1).join("\n");
      const from = before ? before.length + 1 : 0;
      const end = text.value.indexOf("\n", from);
      text.focus();
      text.setSelectionRange(from, end < 0 ? text.value.length : end);
      const height = parseFloat(getComputedStyle(text).lineHeight);
      text.scrollTop = Math.max(0, (Number(link.dataset.line) - 4) * height);
    });
  }
})();
