// Starts the report and shows it as it is written. Every word comes ready and sanitised from the server.
"use strict";
document.addEventListener("DOMContentLoaded", () => {
  const PAUSE_MS = 1500;
  const MOST_FAILURES = 5;
  const body = document.getElementById("report-body");
  const status = document.getElementById("report-status");
  let failures = 0;
  let shown = "";

  const show = (html) => {
    if (html === shown) return;
    shown = html;
    body.innerHTML = html;
    const said = part().dataset.status;
    if (status.textContent !== said) status.textContent = said;
  };
  const part = () => body.querySelector("[data-state]");
  // "waiting" again: its writer died, and a POST finds another one.
  const later = () => setTimeout(() => ask(part().dataset.state === "waiting" ? "POST" : "GET"), PAUSE_MS);

  const ask = async (method) => {
    try {
      const response = await fetch(body.dataset.url, { method, credentials: "omit", cache: "no-store" });
      if (!response.ok) throw new Error(response.status);
      show(await response.text());
      failures = 0;
    } catch {
      failures += 1;
      if (failures >= MOST_FAILURES) {
        document.getElementById("report-trouble").hidden = false;
        status.textContent = "";
        return;
      }
    }
    if (part().dataset.state !== "ready") later();
  };

  const unfold = () => {
    const target = location.hash && document.getElementById(location.hash.slice(1));
    const folded = target && target.closest("details:not([open])");
    if (folded) {
      folded.open = true;
      target.scrollIntoView();
    }
  };
  addEventListener("hashchange", unfold);
  unfold();
  addEventListener("beforeprint", () => {
    for (const each of document.querySelectorAll(".finding")) each.open = true;
  });

  if (body && part().dataset.state !== "ready") ask("POST");
});
