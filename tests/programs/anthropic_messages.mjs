// Anthropic's Node SDK.
import Anthropic from "@anthropic-ai/sdk";
import { zodOutputFormat } from "@anthropic-ai/sdk/helpers/zod";
import { z } from "zod";

const api = new Anthropic();
const messages = [{ role: "user", content: "What is the weather in Oslo?" }];
const ask = { model: "claude-sonnet-5", max_tokens: 4000, messages };
const scenarios = {
  async plain() {
    return { text: (await api.messages.create(ask)).content[0].text };
  },
  async streamed() {
    let pieces = 0;
    const stream = api.messages.stream(ask).on("text", () => pieces++);
    return { text: await stream.finalText(), pieces };
  },
  async tool() {
    const input_schema = { type: "object", properties: { town: { type: "string" } } };
    const tools = [{ name: "weather", input_schema }];
    const first = await api.messages.create({ ...ask, tools });
    const call = first.content.find((block) => block.type === "tool_use");
    const result = { type: "tool_result", tool_use_id: call.id, content: `rain in ${call.input.town}` };
    const said = [
      ...messages, { role: "assistant", content: first.content }, { role: "user", content: [result] },
    ];
    return { text: (await api.messages.create({ ...ask, tools, messages: said })).content[0].text };
  },
  async structured() {
    const output_config = { format: zodOutputFormat(z.object({ mood: z.string() })) };
    return (await api.messages.parse({ ...ask, output_config })).parsed_output;
  },
  async cancel() {
    const stream = api.messages.stream(ask);
    for await (const event of stream) if (event.type === "content_block_delta") break;
    return null;
  },
};
console.log(JSON.stringify(await scenarios[process.argv[2]]()));
