// The Vercel AI SDK, by the provider that the command line names: compatible, chat or responses.
import { createRequire } from "node:module";
import { BASE_URL, EMBEDDER, KEY, MODEL, QUESTION, holds, run, weather } from "./checks.mjs";

const need = createRequire(process.env.CLIENTS_NODE);
const { Output, embedMany, generateText, stepCountIs, streamText, tool } = need("ai");
const { createOpenAICompatible } = need("@ai-sdk/openai-compatible");
const { createOpenAI } = need("@ai-sdk/openai");
const { z } = need("zod");

const openai = createOpenAI({ baseURL: BASE_URL, apiKey: KEY });
const compatible = createOpenAICompatible({
  name: "aimlapi",
  baseURL: BASE_URL,
  apiKey: KEY,
  includeUsage: true,
  supportsStructuredOutputs: true,
});
const way = process.argv[2];
const model = { compatible: () => compatible(MODEL), chat: () => openai.chat(MODEL), responses: () => openai.responses(MODEL) }[way]();
const embedder = way === "compatible" ? compatible.embeddingModel(EMBEDDER) : openai.embedding(EMBEDDER);
const place = z.object({ city: z.string() });
const tools = {
  weather: tool({ description: "The weather in a city", inputSchema: place, execute: async (given) => weather(given) }),
};
const asked = { model, maxRetries: 0 };
const inSteps = { ...asked, prompt: QUESTION, tools, stopWhen: stepCountIs(4) };

async function streamed(how) {
  let failure = null;
  let text = "";
  const stream = streamText({ ...how, onError: ({ error }) => (failure = error) });
  for await (const part of stream.textStream) text += part;
  if (failure) throw failure;
  return text;
}

await run({
  async chat() {
    holds("Hello", (await generateText({ ...asked, prompt: "Hello" })).text);
  },
  async stream() {
    holds("Hello", await streamed({ ...asked, prompt: "Hello" }));
  },
  async tools() {
    holds("18 degrees in Paris", (await generateText(inSteps)).text);
  },
  async "streamed tools"() {
    holds("18 degrees in Paris", await streamed(inSteps));
  },
  async "structured output"() {
    const answer = await generateText({ ...asked, prompt: "I live in Paris.", output: Output.object({ schema: place }) });
    holds("Paris", answer.output.city);
  },
  async embeddings() {
    const { embeddings } = await embedMany({ model: embedder, values: ["a", "b"], maxRetries: 0 });
    holds("1536,1536", embeddings.map((one) => one.length));
  },
});
