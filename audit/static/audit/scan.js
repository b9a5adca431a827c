// One question at a time. Answers live in the form only; without this script the form is one page that works.
"use strict";
(() => {
  const root = document.documentElement;
  root.classList.add("stepped");

  const start = () => {
    const form = document.getElementById("scan");
    const questions = [...form.querySelectorAll(".question")];
    const steps = [...questions, form.querySelector(".finish")];
    const last = steps.length - 1;
    const actions = document.getElementById("steps");
    const submit = document.getElementById("submit");
    const next = document.getElementById("next");
    const back = document.getElementById("back");
    const bar = form.querySelector("progress");
    const check = document.getElementById("check");
    const review = check.querySelector(".review");
    let current = 0;
    let sent = false;

    const chosen = (step) => steps[step].querySelector("input:checked");
    const legend = (step) => steps[step].querySelector("legend");
    const fromAddress = () => {
      const id = location.hash.slice(1).replace(/-\d+$/, "");
      return steps.findIndex((step) => step.id && step.id === id);
    };

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

    const show = (step, focus) => {
      steps[current].classList.remove("current");
      current = step;
      steps[current].classList.add("current");
      bar.value = Math.min(current + 1, questions.length);
      back.hidden = current === 0;
      (current === last ? submit.parentElement : actions).append(back);
      next.hidden = current === last;
      document.getElementById("keys").hidden = current === last;
      document.querySelector(".intro").classList.toggle("hidden-visually", current !== 0);
      if (focus) document.title = `${legend(current).querySelector(".step").textContent} · GuardLabs`;
      if (current === last) list();
      if (focus) {
        legend(current).focus({ preventScroll: true });
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
      if (current < last) go(current + 1);
    };

    next.addEventListener("click", forward);
    back.addEventListener("click", () => go(current - 1));
    form.addEventListener("change", () => { if (current < last && chosen(current)) fail(current, ""); });

    form.addEventListener("keydown", (event) => {
      if (event.ctrlKey || event.metaKey || event.altKey || current === last) return;
      const inputs = steps[current].querySelectorAll("input");
      if (/^[1-9]$/.test(event.key) && inputs[event.key - 1]) {
        inputs[event.key - 1].focus();
        inputs[event.key - 1].click();
        event.preventDefault();
      } else if (event.key === "Enter" && event.target.tagName !== "BUTTON") {
        event.preventDefault();
        forward();
      }
    });

    form.addEventListener("submit", (event) => {
      const missing = questions.findIndex((_, step) => !chosen(step));
      if (missing >= 0) {
        event.preventDefault();
        go(missing);
        fail(missing, form.dataset.missing);
      } else if (sent) {
        event.preventDefault();
      } else {
        sent = true;
        submit.setAttribute("aria-disabled", "true");
      }
    });

    window.addEventListener("pageshow", () => {
      sent = false;
      submit.removeAttribute("aria-disabled");
    });
    window.addEventListener("popstate", () => show(Math.max(fromAddress(), 0), true));

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

    actions.hidden = false;
    document.getElementById("progress").hidden = false;
    check.hidden = false;
    const wrong = questions.findIndex((question) => question.classList.contains("invalid"));
    // After an error start at it; a full form that came back (too many requests) starts at the end.
    show(wrong >= 0 ? wrong : summary ? last : Math.max(fromAddress(), 0), false);
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
