// One question at a time. Answers live in the form and in this tab; without this script the form is one page that works.
"use strict";
(() => {
  const root = document.documentElement;
  root.classList.add("stepped");

  const MOVE_ON_MS = 250; // after a choice with mouse or finger
  const DOUBLE_MS = 500; // a "Next" this soon after moving on by itself was meant for the question before
  const STORE = "scan";

  const start = () => {
    const form = document.getElementById("scan");
    const questions = [...form.querySelectorAll(".question")];
    const finish = form.querySelector(".finish");
    const steps = [...questions, finish];
    const last = steps.length - 1;
    const writer = document.getElementById("writer");
    const bar = document.getElementById("steps");
    const submit = document.getElementById("submit");
    const next = document.getElementById("next");
    const back = document.getElementById("back");
    const progress = bar.querySelector("progress");
    const check = document.getElementById("check");
    const review = check.querySelector(".review");
    const later = document.getElementById("later");
    const again = "again" in form.dataset;
    let current = 0;
    let sent = false;
    let moving = 0;
    let movedAt = -Infinity;
    let byPointer = false;

    const chosen = (step) => steps[step].querySelector("input:checked");
    const heading = (step) => steps[step].querySelector("legend, .ask");
    const gap = () => {
      const found = questions.findIndex((_, step) => !chosen(step));
      return found < 0 ? last : found;
    };
    const fromAddress = () => {
      const id = location.hash.slice(1).replace(/-\d+$/, "");
      return steps.findIndex((step) => step.id && step.id === id);
    };

    // -- answers kept over a reload: in this tab only, and only until they are sent ------------------------
    const answers = () => Object.fromEntries(
      questions.map((each, step) => [each.id, chosen(step)?.value]).filter(([, value]) => value));
    const fill = (kept) => {
      for (const [name, value] of Object.entries(kept)) {
        const input = [...form.querySelectorAll(`#${CSS.escape(name)} input`)].find((each) => each.value === value);
        if (input) input.checked = true;
      }
    };
    const keep = () => {
      if (again) return;
      try {
        sessionStorage.setItem(STORE, JSON.stringify(answers()));
      } catch { /* storage is off: then a reload starts anew */ }
    };
    const forget = () => {
      try {
        sessionStorage.removeItem(STORE);
      } catch { /* as above */ }
    };
    const restore = () => {
      if (again || Object.keys(answers()).length) return;
      try {
        fill(JSON.parse(sessionStorage.getItem(STORE)) || {});
      } catch { /* as above */ }
    };

    // -- a link to go on later: the answers are in its fragment, which browsers send to nobody ---------------
    const RESUME = "#resume=";
    const resume = () => {
      if (!location.hash.startsWith(RESUME)) return false;
      fill(Object.fromEntries(new URLSearchParams(location.hash.slice(RESUME.length))));
      history.replaceState(null, "", location.pathname);
      keep();
      return true;
    };
    later.querySelector("button").addEventListener("click", async () => {
      const link = location.origin + location.pathname + RESUME + new URLSearchParams(answers());
      const told = later.querySelector("[role=status]");
      try {
        await navigator.clipboard.writeText(link);
        told.textContent = told.dataset.copied;
      } catch {
        history.replaceState(null, "", link);
        told.textContent = told.dataset.failed;
      }
    });

    const fail = (step, text) => {
      const fieldset = steps[step];
      const error = fieldset.querySelector(".error");
      error.textContent = text;
      error.hidden = !text;
      fieldset.classList.toggle("invalid", Boolean(text));
      const ids = text ? `${fieldset.id}-why ${error.id}` : `${fieldset.id}-why`;
      fieldset.setAttribute("aria-describedby", ids);
    };

    const list = () => {
      review.replaceChildren(...questions.map((fieldset, step) => {
        const item = document.createElement("li");
        const question = document.createElement("span");
        question.className = "q";
        question.textContent = fieldset.querySelector(".ask").textContent;
        const answer = document.createElement("strong");
        const input = chosen(step);
        answer.textContent = input
          ? input.nextElementSibling.textContent : review.dataset.empty;
        if (again && "weak" in fieldset.dataset && input?.defaultChecked) {
          const weak = document.createElement("span");
          weak.className = "tag high";
          weak.textContent = review.dataset.weak;
          answer.append(" ", weak);
        }
        const change = document.createElement("button");
        change.type = "button";
        change.className = "link";
        change.textContent = review.dataset.change;
        change.setAttribute("aria-label", `${review.dataset.change}: ${question.textContent}`);
        change.addEventListener("click", () => go(step));
        item.append(question, answer, change);
        return item;
      }));
    };

    const rail = () => {
      for (const item of document.querySelectorAll("#rail li")) {
        const mine = questions.map((each, step) => [each, step])
          .filter(([each]) => each.dataset.category === item.dataset.category);
        const done = mine.filter(([, step]) => chosen(step)).length;
        const count = item.querySelector(".count");
        count.textContent = done === mine.length ? "✓" : `${done}/${mine.length}`;
        item.classList.toggle("done", done === mine.length);
        item.classList.toggle("now", steps[current].dataset.category === item.dataset.category);
      }
    };

    const show = (step, focus) => {
      clearTimeout(moving);
      steps[current].classList.remove("current");
      current = step;
      steps[current].classList.add("current");
      progress.value = current + 1;
      back.hidden = current === 0;
      next.hidden = current === last;
      (current === last ? bar : finish.querySelector(".actions")).append(submit);
      document.getElementById("keys").hidden = current === last;
      later.hidden = again || current === 0;
      document.querySelector(".intro").classList.toggle("hidden-visually", current !== 0 && !(again && current === last));
      for (const button of document.querySelectorAll("button[name=switch]")) {
        button.formAction = `${button.formAction.split("#")[0]}#${steps[current].id}`;
      }
      if (current === last) list();
      rail();
      if (focus) {
        const step = steps[current].querySelector(".step") || heading(current);
        document.title = `${step.textContent.trim()} · GuardLabs`;
        heading(current).focus({ preventScroll: true });
        window.scrollTo(0, 0);
      }
    };

    const go = (step) => {
      history.pushState(null, "", `#${steps[step].id}`);
      show(step, true);
    };

    const forward = () => {
      if (current < last && !chosen(current)) {
        fail(current, form.dataset.missing);
        steps[current].querySelector("input").focus();
        return;
      }
      if (current < last) go(again && gap() === last ? last : current + 1);
    };

    next.addEventListener("click", () => {
      if (chosen(current) || performance.now() - movedAt > DOUBLE_MS) forward();
    });
    back.addEventListener("click", () => go(current - 1));

    form.addEventListener("pointerup", () => { byPointer = true; });
    document.addEventListener("keydown", () => { byPointer = false; }, true);
    form.addEventListener("change", () => {
      keep();
      rail();
      clearTimeout(moving);
      if (current === last) {
        if (writer) writer.querySelector(".error").hidden = true;
        return;
      }
      if (chosen(current)) fail(current, "");
      // The last question waits: what follows it is no question.
      if (byPointer && !again && current < last - 1) {
        moving = setTimeout(() => {
          movedAt = performance.now();
          go(current + 1);
        }, MOVE_ON_MS);
      }
    });

    // From the first moment on, wherever the focus is, unless what has it does something with the key itself.
    document.addEventListener("keydown", (event) => {
      if (event.ctrlKey || event.metaKey || event.altKey || event.defaultPrevented || current === last) return;
      const own = event.target.closest("a, button, select, textarea, summary, input:not([type=radio])");
      const inputs = steps[current].querySelectorAll("input[type=radio]");
      if (/^[1-9]$/.test(event.key) && inputs[event.key - 1] && !own) {
        inputs[event.key - 1].focus();
        inputs[event.key - 1].click();
        event.preventDefault();
      } else if (event.key === "Enter" && !own) {
        event.preventDefault();
        forward();
      }
    });

    form.addEventListener("submit", (event) => {
      if (event.submitter?.name === "switch") return;
      const missing = questions.findIndex((_, step) => !chosen(step));
      if (missing >= 0) {
        event.preventDefault();
        go(missing);
        fail(missing, form.dataset.missing);
      } else if (writer && !writer.querySelector("input:checked")) {
        event.preventDefault();
        if (current !== last) go(last);
        writer.querySelector(".error").hidden = false;
        writer.querySelector("input").focus();
      } else if (sent) {
        event.preventDefault();
      } else {
        sent = true;
        forget();
        submit.setAttribute("aria-disabled", "true");
      }
    });

    window.addEventListener("pageshow", () => {
      sent = false;
      submit.removeAttribute("aria-disabled");
    });
    window.addEventListener("popstate", () => show(Math.min(Math.max(fromAddress(), 0), gap()), true));

    const summary = document.getElementById("summary");
    if (summary) {
      summary.addEventListener("click", (event) => {
        const link = event.target.closest("a");
        if (!link) return;
        event.preventDefault();
        history.pushState(null, "", link.hash);
        show(Math.max(fromAddress(), 0), false);
        document.getElementById(link.hash.slice(1)).focus();
      });
      summary.focus();
    }

    form.noValidate = true;
    bar.hidden = false;
    check.hidden = false;
    check.open = again;
    const resumed = resume();
    restore();
    const wrong = questions.findIndex((question) => question.classList.contains("invalid"));
    const wanted = fromAddress();
    // After an error start at it; a full form that came back (too many requests) and one that is filled in again
    // start at the end; otherwise where the address says, but never beyond the first gap.
    if (wrong >= 0) show(wrong, false);
    else if (summary || again) show(wanted >= 0 ? wanted : last, false);
    else if (resumed || (wanted < 0 && Object.keys(answers()).length)) show(gap(), false);
    else show(Math.min(Math.max(wanted, 0), gap()), false);
  };

  const safely = () => {
    try {
      start();
    } catch (error) {
      root.classList.remove("stepped");
      throw error;
    }
  };
  document.addEventListener("DOMContentLoaded", safely);
})();
