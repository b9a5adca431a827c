// OpenAI's Node SDK, chat completions.
import OpenAI from "openai";
import { zodResponseFormat } from "openai/helpers/zod";
import { z } from "zod";

const api = new OpenAI();
const messages = [{ role: "user", content: "What is the weather in Oslo?" }];
const ask = { model: "gpt-5", messages };
const parameters = { type: "object", properties: { town: { type: "string" } } };
const scenarios = {
  async plain() {
    return { text: (await api.chat.completions.create(ask)).choices[0].message.content };
  },
  async streamed() {
    let text = "", pieces = 0;
    for await (const chunk of await api.chat.completions.create({ ...ask, stream: true })) {
      const piece = chunk.choices[0]?.delta?.content;
      if (piece) { text += piece; pieces++; }
    }
    return { text, pieces };
  },
  async tool() {
    const runner = api.chat.completions.runTools({
      ...ask,
      tools: [{ type: "function", function: {
        name: "weather", parameters, parse: JSON.parse, function: ({ town }) => `rain in ${town}`,
      } }],
    });
    return { text: await runner.finalContent() };
  },
  async structured() {
    const response_format = zodResponseFormat(z.object({ mood: z.string() }), "mood");
    return (await api.chat.completions.parse({ ...ask, response_format })).choices[0].message.parsed;
  },
  async cancel() {
    const stream = await api.chat.completions.create({ ...ask, stream: true });
    let seen = 0;
    for await (const _ of stream) if (++seen === 4) break;
    return null;
  },
};
console.log(JSON.stringify(await scenarios[process.argv[2]]()));
