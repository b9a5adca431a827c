// Starts the report and shows it as it is written. Every word comes ready and sanitised from the server:
// by server-sent events, or asked for again and again where those do not come through.
"use strict";
document.addEventListener("DOMContentLoaded", () => {
  const PAUSE_MS = 1500;
  const SILENCE_MS = 6000; // the server speaks twice a second; something on the way holds it back
  const MOST_FAILURES = 5;
  const body = document.getElementById("report-body");
  const status = document.getElementById("report-status");
  let live = Boolean(window.EventSource);
  let source = null;
  let silence = 0;
  let failures = 0;

  const part = () => body.querySelector("[data-state]");
  const state = () => part().dataset.state;

  // Replaces only what differs: what somebody is reading or has selected stays where it is.
  const fill = (old, fresh) => {
    const before = [...old.childNodes];
    const after = [...fresh.childNodes];
    after.forEach((node, i) => {
      if (!before[i]) old.append(node);
      else if (!before[i].isEqualNode(node)) before[i].replaceWith(node);
    });
    for (const node of before.slice(after.length)) node.remove();
  };

  const tell = (seconds) => {
    const bar = body.querySelector("progress");
    if (bar) bar.value = seconds;
  };

  const show = (html) => {
    const box = document.createElement("template");
    box.innerHTML = html;
    const old = part();
    const fresh = box.content.querySelector("[data-state]");
    if (old.dataset.state === fresh.dataset.state && !old.querySelector(".again")) {
      for (const piece of fresh.querySelectorAll("[data-part]")) {
        fill(old.querySelector(`[data-part=${piece.dataset.part}]`), piece);
      }
      const bar = fresh.querySelector("progress");
      if (bar) tell(bar.value);
    } else old.replaceWith(fresh);
    const chip = document.getElementById("report-chip");
    if (chip) {
      chip.textContent = chip.dataset[fresh.dataset.state];
      document.getElementById("report-dot").className = `dot ${fresh.dataset.state}`;
    }
    const said = fresh.dataset.status;
    if (status.textContent !== said) status.textContent = said;
  };

  const hush = () => {
    clearTimeout(silence);
    if (source) source.close();
    source = null;
  };
  const poll = () => {
    hush();
    live = false;
    next();
  };
  const heard = () => {
    failures = 0;
    clearTimeout(silence);
    silence = setTimeout(poll, SILENCE_MS);
  };
  const listen = () => {
    source = new EventSource(body.dataset.events);
    silence = setTimeout(poll, SILENCE_MS);
    source.addEventListener("time", (event) => {
      heard();
      tell(Number(event.data));
    });
    source.addEventListener("report", (event) => {
      heard();
      show(event.data);
      if (state() === "writing") return;
      hush();
      next();
    });
    // Closed: refused, or no seat left. Otherwise the browser tries again by itself, until silence is told.
    source.addEventListener("error", () => {
      if (source && source.readyState === EventSource.CLOSED) poll();
    });
  };

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
    next();
  };

  // "waiting": nobody writes it, or its writer died, and a POST finds another one.
  const next = () => {
    if (state() === "ready") return;
    if (live && state() === "writing") listen();
    else setTimeout(() => ask(state() === "waiting" ? "POST" : "GET"), PAUSE_MS);
  };

  const unfold = () => {
    const target = document.getElementById(location.hash.slice(1));
    let folded = false;
    for (let each = target?.closest("details"); each; each = each.parentElement.closest("details")) {
      folded ||= !each.open;
      each.open = true;
    }
    if (folded) target.scrollIntoView();
  };
  addEventListener("hashchange", unfold);
  unfold();
  addEventListener("beforeprint", () => {
    for (const each of document.querySelectorAll(".finding, .folded")) each.open = true;
  });

  if (body && state() !== "ready") ask("POST");
});
