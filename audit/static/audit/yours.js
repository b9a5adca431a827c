// What a result page does by itself: copies addresses, recalculates ticked fixes, and looks for newer cases.
"use strict";
document.addEventListener("DOMContentLoaded", () => {
  const toast = document.getElementById("toast");
  for (const button of document.querySelectorAll(".copy")) {
    if (!navigator.clipboard) continue;
    button.hidden = false;
    button.addEventListener("click", async () => {
      await navigator.clipboard.writeText(button.dataset.copy || location.href.split("#")[0]);
      if (toast) {
        toast.textContent = button.dataset.copied;
        setTimeout(() => { toast.textContent = ""; }, 3000);
      }
    });
  }

  // The public list of cases is the same for everybody: what fits these answers is found out here.
  const since = document.getElementById("since");
  if (since) {
    const answers = new Set(since.dataset.answers.trim().split(" "));
    fetch(since.dataset.cases, { credentials: "omit" }).then((response) => response.json()).then(({ cases }) => {
      const fresh = cases.filter((each) => each.added > since.dataset.since);
      if (!fresh.length) return;
      const hits = fresh.filter((each) => each.weaknesses.some((answer) => answers.has(answer)));
      since.querySelector(".n").textContent = fresh.length;
      since.querySelector(".m").textContent = hits.length;
      since.hidden = false;
    }).catch(() => {});
  }

  const fixes = document.getElementById("try");
  if (fixes) fixes.addEventListener("change", () => fixes.requestSubmit());
});
