// What the official Node SDK does with the gateway. OPENAI_BASE_URL and OPENAI_API_KEY come from the environment.
import assert from "node:assert/strict";
import OpenAI from "openai";

const api = new OpenAI();
const HELLO = [{ role: "user", content: "Say hello." }];
const TOOL = {
  type: "function",
  function: { name: "weather", parameters: { type: "object", properties: { town: { type: "string" } } } },
};
const SCHEMA = {
  type: "json_schema",
  json_schema: {
    name: "mood",
    strict: true,
    schema: {
      type: "object",
      properties: { mood: { enum: ["good", "bad"] } },
      required: ["mood"],
      additionalProperties: false,
    },
  },
};
const once = { maxRetries: 0 };

const checks = {
  async models() {
    const ids = [];
    for await (const model of api.models.list()) ids.push(model.id);
    assert.ok(ids.includes("auto") && ids.includes("good/m"));
    assert.equal((await api.models.retrieve("good/m")).owned_by, "good");
  },
  async plain() {
    const { data, response } = await api.chat.completions
      .create({ model: "auto", messages: HELLO, max_tokens: 50, temperature: 0.2, user: "someone" })
      .withResponse();
    assert.equal(response.headers.get("x-guardlabs-provider"), "good");
    assert.ok(data.choices[0].message.content);
  },
  async streamed() {
    const asked = { model: "good", messages: HELLO, stream: true, stream_options: { include_usage: true } };
    let text = "", usage = null;
    for await (const chunk of await api.chat.completions.create(asked)) {
      text += chunk.choices[0]?.delta?.content ?? "";
      usage = chunk.usage ?? usage;
    }
    assert.ok(text && usage.completion_tokens > 0);
  },
  async streamedWithHelper() {
    const runner = api.chat.completions.stream({ model: "tools", messages: HELLO, tools: [TOOL] });
    const final = await runner.finalChatCompletion();
    assert.equal(final.choices[0].message.tool_calls[0].function.name, "weather");
  },
  async structured() {
    const answer = await api.chat.completions.parse({ model: "good", messages: HELLO, response_format: SCHEMA });
    assert.ok(["good", "bad"].includes(JSON.parse(answer.choices[0].message.content).mood));
    const wrong = api.chat.completions.create({ model: "moody", messages: HELLO, response_format: SCHEMA }, once);
    await assert.rejects(wrong, (error) => error.status === 502 && error.code === "invalid_output");
  },
  async tools() {
    const answer = await api.chat.completions.create({ model: "tools", messages: HELLO, tools: [TOOL] });
    const { message, finish_reason } = answer.choices[0];
    assert.equal(finish_reason, "tool_calls");
    const result = { role: "tool", tool_call_id: message.tool_calls[0].id, content: "rain" };
    const again = await api.chat.completions.create({
      model: "good", messages: [...HELLO, message, result], tools: [TOOL],
    });
    assert.ok(again.choices[0].message.content);
  },
  async errors() {
    const ask = (body) => api.chat.completions.create({ messages: HELLO, ...body }, once);
    await assert.rejects(ask({ model: "gpt-9" }), OpenAI.NotFoundError);
    await assert.rejects(ask({ model: "auto", messages: [] }), OpenAI.BadRequestError);
    await assert.rejects(ask({ model: "limited" }), OpenAI.RateLimitError);
    const wrong = new OpenAI({ apiKey: "sk-wrong" });
    await assert.rejects(wrong.models.list(), OpenAI.AuthenticationError);
    const long = [{ role: "user", content: "Tell me a long story. ".repeat(60) }];
    const broken = async () => {
      for await (const _ of await ask({ model: "broken", messages: long, stream: true })) continue;
    };
    await assert.rejects(broken, (error) => error.code === "stream_interrupted");
  },
  async cancelled() {
    const stream = await api.chat.completions.create({
      model: "slow", messages: HELLO, stream: true, max_tokens: 20000,
    });
    let seen = 0;
    for await (const _ of stream) if (++seen === 4) break;
    stream.controller.abort();
  },
  async inParallel() {
    const ask = () => api.chat.completions.create({ model: "good", messages: HELLO });
    const answers = await Promise.all(Array.from({ length: 20 }, ask));
    assert.ok(answers.every((answer) => answer.choices[0].message.content));
  },
  async timeouts() {
    const silent = { model: "silent", messages: HELLO };
    await assert.rejects(
      api.chat.completions.create(silent, { ...once, timeout: 500 }), OpenAI.APIConnectionTimeoutError,
    );
    await assert.rejects(
      api.chat.completions.create({ ...silent, deadline_s: 0.5 }, once), (error) => error.status === 503,
    );
  },
};

for (const [name, check] of Object.entries(checks)) {
  await check();
  console.log(`ok ${name}`);
}
