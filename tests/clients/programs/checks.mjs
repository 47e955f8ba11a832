// Runs the checks of a client and reports each as a line of JSON.
export const BASE_URL = process.env.AIMLAPI_BASE_URL;
export const KEY = process.env.AIMLAPI_API_KEY;
export const MODEL = "openai/gpt-5-2";
export const EMBEDDER = "text-embedding-3-small";
export const QUESTION = "What is the weather in Paris?";
export const PARAMETERS = {
  type: "object",
  properties: { city: { type: "string" } },
  required: ["city"],
  additionalProperties: false,
};
export const weather = ({ city }) => `18 degrees in ${city}`;

export async function run(checks) {
  for (const [check, body] of Object.entries(checks)) {
    let error = null;
    try {
      await body();
    } catch (caught) {
      error = `${caught?.name}: ${caught?.message}`.slice(0, 300);
    }
    console.log(JSON.stringify({ check, error }));
  }
}

export function holds(part, text) {
  if (!String(text).includes(part)) throw new Error(`${part} is not in ${JSON.stringify(text)}`);
}
