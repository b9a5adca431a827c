// The playground: posts the form, reads the answer's events as they come, and writes the same request for programs.
"use strict";

const form = document.getElementById("playground");
const $ = (id) => document.getElementById(id);
const [attempts, answer, footer, more, stop] = ["attempts", "answer", "footer", "more", "stop"].map($);
const DOORS = {
  chat: { path: "/v1/chat/completions", body: (f) => ({ model: f.model, messages: [...(f.system ? [{ role: "system", content: f.system }] : []), { role: "user", content: f.user }], max_tokens: f.max, stream: true }) },
  responses: { path: "/v1/responses", body: (f) => ({ model: f.model, ...(f.system && { instructions: f.system }), input: f.user, max_output_tokens: f.max, stream: true }) },
  messages: { path: "/v1/messages", body: (f) => ({ model: f.model, ...(f.system && { system: f.system }), messages: [{ role: "user", content: f.user }], max_tokens: f.max, stream: true }) },
};
let language = "http";

function fields() {
  const data = new FormData(form);
  const model = data.get("model").trim() || "auto";
  return { door: data.get("door"), model: model === "auto" && data.get("free") ? "free" : model, system: data.get("system"), user: data.get("user"), max: Number(data.get("max_tokens")) || 500 };
}

function headersOf(door) {
  const auth = door === "messages" ? { "x-api-key": "YOUR_KEY" } : { Authorization: "Bearer YOUR_KEY" };
  return { ...auth, "Content-Type": "application/json" };
}

const WRITERS = {
  http: (url, headers, body) => `POST ${url}\n${Object.entries(headers).map(([k, v]) => `${k}: ${v}`).join("\n")}\n\n${JSON.stringify(body, null, 2)}`,
  curl: (url, headers, body) => `curl -N ${url} \\\n${Object.entries(headers).map(([k, v]) => `  -H "${k}: ${v}" \\\n`).join("")}  -d '${JSON.stringify(body).replaceAll("'", "'\\''")}'`,
  python: (url, headers, body) => {
    const python = JSON.stringify(body, null, 4).replace(/: (true|false)(,?)$/gm, (_m, word, comma) => `: ${word[0].toUpperCase()}${word.slice(1)}${comma}`);
    return `import httpx\n\nwith httpx.stream(\n    "POST", "${url}", timeout=120,\n    headers={${Object.entries(headers).slice(0, 1).map(([k, v]) => `"${k}": "${v}"`)}},\n    json=${python.replaceAll("\n", "\n    ")},\n) as answer:\n    for line in answer.iter_lines():\n        print(line)`;
  },
  node: (url, headers, body) => `const answer = await fetch("${url}", {\n  method: "POST",\n  headers: ${JSON.stringify(headers)},\n  body: JSON.stringify(${JSON.stringify(body, null, 2).replaceAll("\n", "\n  ")}),\n});\nfor await (const piece of answer.body.pipeThrough(new TextDecoderStream())) process.stdout.write(piece);`,
};

function drawSnippet() {
  const f = fields();
  const door = DOORS[f.door];
  $("snippet").textContent = WRITERS[language](form.dataset.origin + door.path, headersOf(f.door), door.body(f));
}

for (const button of document.querySelectorAll("[data-snippet]")) {
  button.addEventListener("click", () => {
    language = button.dataset.snippet;
    for (const each of document.querySelectorAll("[data-snippet]")) each.setAttribute("aria-pressed", String(each === button));
    drawSnippet();
  });
}
form.addEventListener("input", drawSnippet);
drawSnippet();

function list(node, texts) {
  node.replaceChildren(...texts.map((text) => Object.assign(document.createElement("li"), { textContent: text })));
}

const HANDLERS = {
  attempt(event) {
    const item = document.createElement("li");
    item.className = "running";
    item.textContent = `${event.credential} · ${event.model}: ${attempts.dataset.asked}`;
    attempts.append(item);
  },
  failed(event) {
    const item = attempts.lastElementChild;
    item.className = "failed";
    item.textContent = `${event.credential} · ${event.model}: ${event.why}${event.detail ? ` (${event.detail})` : ""}`;
    if (!event.kept) answer.textContent = "";
  },
  text(event) { answer.textContent += event.text; },
  done(event) {
    const item = attempts.lastElementChild;
    if (item) {
      item.className = "ok";
      item.textContent = item.textContent.replace(/: [^:]*$/, `: ${attempts.dataset.answered}`);
    }
    answer.textContent = event.text;
    footer.textContent = event.footer;
    $("headers").textContent = Object.entries(event.headers).map(([k, v]) => `${k}: ${v}`).join("\n");
    $("receipt").textContent = event.receipt;
    list($("skipped"), event.skipped);
    more.hidden = false;
  },
  lost(event) {
    footer.textContent = event.why;
    list($("skipped"), event.skipped);
    more.hidden = event.skipped.length === 0;
  },
};

let leaving = null;
stop.addEventListener("click", () => leaving?.abort());
form.addEventListener("submit", async (submitted) => {
  submitted.preventDefault();
  leaving?.abort();
  leaving = new AbortController();
  attempts.replaceChildren();
  answer.textContent = footer.textContent = $("headers").textContent = $("receipt").textContent = "";
  more.hidden = true;
  stop.hidden = false;
  try {
    const response = await fetch(form.action, { method: "POST", body: new URLSearchParams(new FormData(form)), signal: leaving.signal });
    if (!response.ok) {
      const told = response.headers.get("content-type")?.includes("json") ? (await response.json()).errors.join(" ") : `HTTP ${response.status}`;
      footer.textContent = told;
      return;
    }
    let rest = "";
    const reader = response.body.pipeThrough(new TextDecoderStream()).getReader();
    for (;;) {
      const { value, done } = await reader.read();
      if (done) break;
      rest += value;
      const events = rest.split("\n\n");
      rest = events.pop();
      for (const each of events) {
        const [, name, data] = each.match(/^event: (\w+)\ndata: (.*)$/s) ?? [];
        if (name in HANDLERS) HANDLERS[name](JSON.parse(data));
      }
    }
  } catch (error) {
    if (error.name !== "AbortError") footer.textContent = String(error);
  } finally {
    stop.hidden = true;
  }
});
