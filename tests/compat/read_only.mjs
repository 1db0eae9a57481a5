// The read-only API through the official TypeScript SDK and openai for JavaScript, unmodified; one line of JSON.
import { OpenRouter } from "@openrouter/sdk";
import OpenAI from "openai";

const options = { serverURL: process.env.ROUTER_URL, retryConfig: { strategy: "none" } };
const client = new OpenRouter({ ...options, apiKey: process.env.ROUTER_KEY });
const manager = new OpenRouter({ ...options, apiKey: process.env.MANAGEMENT_KEY });
const openai = new OpenAI({ apiKey: process.env.ROUTER_KEY, baseURL: process.env.ROUTER_URL, maxRetries: 0 });
const [author, slug] = process.env.MODEL.split("/");

const ids = [];
for await (const page of await client.models.list({ outputModalities: "all", limit: 7 })) {
  ids.push(...page.result.data.map((model) => model.id));
}
const mine = [];
for await (const page of await client.models.listForUser({ bearer: process.env.ROUTER_KEY }, { outputModalities: "all" })) {
  mine.push(...page.result.data.map((model) => model.id));
}
const textOnly = await client.models.list();
const failure = async (call) => {
  try {
    await call();
    return "no error";
  } catch (error) {
    return `${error.constructor.name} ${error.statusCode ?? error.status}`;
  }
};

const openaiIds = [];
for await (const model of openai.models.list()) openaiIds.push(model.id);

console.log(JSON.stringify({
  ids,
  mine,
  textOnly: textOnly.result.data.length,
  count: (await client.models.count({ outputModalities: "embeddings" })).data.count,
  model: (await client.models.get({ author, slug })).data,
  endpoints: (await client.endpoints.list({ author, slug })).data,
  zdr: (await client.endpoints.listZdrEndpoints()).data,
  providers: (await client.providers.list()).data,
  key: (await client.apiKeys.getCurrentKeyMetadata()).data,
  managementKey: (await manager.apiKeys.getCurrentKeyMetadata()).data,
  openaiIds,
  openaiModel: await openai.models.retrieve(process.env.MODEL),
  errors: {
    model: await failure(() => client.models.get({ author: "no", slug: "model" })),
    endpoints: await failure(() => client.endpoints.list({ author: "no", slug: "model" })),
    query: await failure(() => client.models.list({ category: "programming" })),
    key: await failure(() => new OpenRouter({ ...options, apiKey: "wrong" }).apiKeys.getCurrentKeyMetadata()),
    openai: await failure(() => openai.models.retrieve("no/model")),
  },
}));
