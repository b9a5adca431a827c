// OpenAI's Node SDK, Responses.
import OpenAI from "openai";
import { zodTextFormat } from "openai/helpers/zod";
import { z } from "zod";

const api = new OpenAI();
const ask = { model: "gpt-5", input: "What is the weather in Oslo?" };
const parameters = {
  type: "object", properties: { town: { type: "string" } }, required: ["town"], additionalProperties: false,
};
const scenarios = {
  async plain() {
    return { text: (await api.responses.create(ask)).output_text };
  },
  async streamed() {
    let pieces = 0;
    const stream = api.responses.stream(ask).on("response.output_text.delta", () => pieces++);
    return { text: (await stream.finalResponse()).output_text, pieces };
  },
  async tool() {
    const tools = [{ type: "function", name: "weather", parameters, strict: true }];
    const first = await api.responses.create({ ...ask, tools });
    const call = first.output.find((item) => item.type === "function_call");
    const output = `rain in ${JSON.parse(call.arguments).town}`;
    const input = [
      { role: "user", content: ask.input }, ...first.output,
      { type: "function_call_output", call_id: call.call_id, output },
    ];
    return { text: (await api.responses.create({ model: ask.model, input, tools })).output_text };
  },
  async structured() {
    const text = { format: zodTextFormat(z.object({ mood: z.string() }), "mood") };
    return (await api.responses.parse({ ...ask, text })).output_parsed;
  },
  async cancel() {
    const stream = await api.responses.create({ ...ask, stream: true });
    for await (const event of stream) if (event.type === "response.output_text.delta") break;
    return null;
  },
};
console.log(JSON.stringify(await scenarios[process.argv[2]]()));
