// The official TypeScript SDK, unmodified. Prints what it saw as one line of JSON.
import { OpenRouter } from "@openrouter/sdk";

const client = new OpenRouter({
  apiKey: process.env.ROUTER_KEY,
  serverURL: process.env.ROUTER_URL,
  retryConfig: { strategy: "none" },
});
const input = JSON.parse(process.env.TEXTS);

const failure = async (members) => {
  try {
    await client.embeddings.generate({ requestBody: { input: "a", model: "Taurus", ...members } });
    return "no error";
  } catch (error) {
    return `${error.constructor.name} ${error.statusCode}`;
  }
};

const generate = (members) => client.embeddings.generate({ requestBody: { input, model: "test/ok", ...members } });
const embeddings = (answer) => answer.data.map((entry) => entry.embedding);
const float = await generate({});
const base64 = await generate({ encodingFormat: "base64" });
const taurus = await generate({
  model: "Taurus",
  dimensions: 384,
  inputType: "search_query",
  user: "u",
  sessionId: "s",
  trace: { traceId: "t" },
  provider: { order: ["local"], allowFallbacks: false },
});
const parts = await generate({ input: [{ content: [{ type: "text", text: input[0] }] }] });

const ids = [];
for await (const page of await client.embeddings.listModels({ limit: 7 })) {
  ids.push(...page.result.data.map((model) => model.id));
}

console.log(JSON.stringify({
  float: embeddings(float),
  base64: embeddings(base64),
  parts: embeddings(parts),
  indices: float.data.map((entry) => entry.index),
  id: float.id,
  usage: float.usage.promptTokens,
  taurus: embeddings(taurus),
  taurusModel: taurus.model,
  ids,
  errors: {
    empty: await failure({ input: "" }),
    tokens: await failure({ input: [1, 2, 3] }),
    model: await failure({ model: "no/model" }),
    upstream: await failure({ model: "test/short-last" }),
  },
}));
