// openai for JavaScript, unmodified: base64 by default. Prints what it saw as one line of JSON.
import OpenAI from "openai";

const client = new OpenAI({ apiKey: process.env.ROUTER_KEY, baseURL: process.env.ROUTER_URL, maxRetries: 0 });
const input = JSON.parse(process.env.TEXTS);

const failure = async (members) => {
  try {
    await client.embeddings.create({ input: "a", model: "Taurus", ...members });
    return "no error";
  } catch (error) {
    return `${error.constructor.name} ${error.status}`;
  }
};

const vectors = (answer) => answer.data.map((entry) => Array.from(entry.embedding));
const base64 = await client.embeddings.create({ input, model: "test/ok" });
const float = await client.embeddings.create({ input, model: "test/ok", encoding_format: "float" });
const taurus = await client.embeddings.create({ input, model: "Taurus" });

console.log(JSON.stringify({
  base64: vectors(base64),
  float: vectors(float),
  indices: base64.data.map((entry) => entry.index),
  usage: base64.usage.prompt_tokens,
  taurus: vectors(taurus),
  taurusModel: taurus.model,
  errors: {
    empty: await failure({ input: "" }),
    tokens: await failure({ input: [1, 2, 3] }),
    model: await failure({ model: "no/model" }),
    upstream: await failure({ model: "test/short-last" }),
  },
}));
