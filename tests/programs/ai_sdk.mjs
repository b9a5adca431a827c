// The Vercel AI SDK with its defaults: OpenAI's Responses, or, if PROGRAM_MODEL says so, another of its providers.
import { createAnthropic } from "@ai-sdk/anthropic";
import { createOpenAI } from "@ai-sdk/openai";
import { generateText, Output, stepCountIs, streamText, tool as asTool } from "ai";
import { z } from "zod";

const { OPENAI_BASE_URL, OPENAI_API_KEY, ANTHROPIC_BASE_URL, ANTHROPIC_API_KEY, PROGRAM_MODEL } = process.env;
const openai = createOpenAI({ baseURL: OPENAI_BASE_URL, apiKey: OPENAI_API_KEY });
const anthropic = createAnthropic({ baseURL: `${ANTHROPIC_BASE_URL}/v1`, apiKey: ANTHROPIC_API_KEY });
const model = {
  responses: () => openai("gpt-5"), chat: () => openai.chat("gpt-5"), anthropic: () => anthropic("claude-sonnet-5"),
}[PROGRAM_MODEL ?? "responses"]();
const ask = { model, prompt: "What is the weather in Oslo?" };
const scenarios = {
  async plain() {
    return { text: (await generateText(ask)).text };
  },
  async streamed() {
    let text = "", pieces = 0;
    for await (const piece of streamText(ask).textStream) { text += piece; pieces++; }
    return { text, pieces };
  },
  async tool() {
    const weather = asTool({
      description: "The weather of a town.",
      inputSchema: z.object({ town: z.string() }),
      execute: async ({ town }) => `rain in ${town}`,
    });
    return { text: (await generateText({ ...ask, tools: { weather }, stopWhen: stepCountIs(3) })).text };
  },
  async structured() {
    return (await generateText({ ...ask, output: Output.object({ schema: z.object({ mood: z.string() }) }) })).output;
  },
  async cancel() {
    const controller = new AbortController();
    for await (const _ of streamText({ ...ask, abortSignal: controller.signal }).textStream) controller.abort();
    return null;
  },
};
console.log(JSON.stringify(await scenarios[process.argv[2]]()));
