// Copy buttons, and moments in the reader's own time zone. Without it pages work and times are in UTC.
"use strict";

for (const button of document.querySelectorAll("button[data-copy]")) {
  if (!navigator.clipboard) continue;
  button.hidden = false;
  const label = button.textContent;
  button.addEventListener("click", async () => {
    await navigator.clipboard.writeText(document.getElementById(button.dataset.copy).textContent.trim());
    button.textContent = button.dataset.done;
    setTimeout(() => { button.textContent = label; }, 2000);
  });
}

const today = new Date().toDateString();
for (const each of document.querySelectorAll("time[data-local]")) {
  const moment = new Date(each.dateTime);
  if (Number.isNaN(moment.getTime())) continue;
  const clock = { hour: "2-digit", minute: "2-digit" };
  const near = moment.toDateString() === today;
  each.title = each.textContent;
  each.textContent = new Intl.DateTimeFormat(document.documentElement.lang, near ? clock : { ...clock, day: "numeric", month: "short" }).format(moment);
}
