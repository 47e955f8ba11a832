// npm `openai`, both endpoints.
import { createRequire } from "node:module";
import { BASE_URL, EMBEDDER, KEY, MODEL, PARAMETERS, QUESTION, holds, run, weather } from "./checks.mjs";

const { OpenAI } = createRequire(process.env.CLIENTS_NODE)("openai");
const client = new OpenAI({ baseURL: BASE_URL, apiKey: KEY, maxRetries: 0 });
const described = { name: "weather", description: "The weather in a city", parameters: PARAMETERS };
const flat = [{ type: "function", strict: true, ...described }];
const user = (content) => ({ role: "user", content });
const place = { name: "place", schema: PARAMETERS, strict: true };

await run({
  async chat() {
    const answer = await client.chat.completions.create({ model: MODEL, messages: [user("Hello")] });
    holds("Hello", answer.choices[0].message.content);
  },
  async stream() {
    const events = client.chat.completions.stream({ model: MODEL, messages: [user("Hello")] });
    holds("Hello", await events.finalContent());
  },
  async tools() {
    const tool = { type: "function", function: { ...described, function: weather, parse: JSON.parse } };
    const runner = client.chat.completions.runTools({ model: MODEL, messages: [user(QUESTION)], tools: [tool] });
    holds("18 degrees in Paris", await runner.finalContent());
  },
  async "streamed tools"() {
    const tool = { type: "function", function: { ...described, function: weather, parse: JSON.parse } };
    const asked = { model: MODEL, messages: [user(QUESTION)], tools: [tool], stream: true };
    holds("18 degrees in Paris", await client.chat.completions.runTools(asked).finalContent());
  },
  async "structured output"() {
    const response_format = { type: "json_schema", json_schema: place };
    const messages = [user("I live in Paris.")];
    const answer = await client.chat.completions.parse({ model: MODEL, messages, response_format });
    holds('"Paris"', answer.choices[0].message.content);
  },
  async embeddings() {
    const { data } = await client.embeddings.create({ model: EMBEDDER, input: ["a", "b"] });
    holds("1536,1536", data.map((row) => row.embedding.length));
  },
  async responses() {
    holds("Hello", (await client.responses.create({ model: MODEL, input: "Hello" })).output_text);
  },
  async "responses stream"() {
    const events = client.responses.stream({ model: MODEL, input: "Hello" });
    holds("Hello", (await events.finalResponse()).output_text);
  },
  async "responses tools"() {
    const input = [user(QUESTION)];
    const { output } = await client.responses.create({ model: MODEL, input, tools: flat });
    for (const { call_id, arguments: given } of output) {
      output.push({ type: "function_call_output", call_id, output: weather(JSON.parse(given)) });
      break;
    }
    const answer = await client.responses.create({ model: MODEL, input: [...input, ...output], tools: flat });
    holds("18 degrees in Paris", answer.output_text);
  },
  async "responses structured output"() {
    const text = { format: { type: "json_schema", ...place } };
    const answer = await client.responses.parse({ model: MODEL, input: "I live in Paris.", text });
    holds('"Paris"', answer.output_text);
  },
});
