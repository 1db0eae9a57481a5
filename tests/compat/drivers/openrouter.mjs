// The official TypeScript SDK. It has the members of the wire in camel case.
import { OpenRouter } from "@openrouter/sdk";
import { OpenRouterError } from "@openrouter/sdk/models/errors";
import { headersOf, serve } from "./driver.mjs";

const camel = (value) => {
  if (Array.isArray(value)) return value.map(camel);
  if (value === null || typeof value !== "object") return value;
  const name = (key) => key.replace(/_([a-z])/g, (_, letter) => letter.toUpperCase());
  return Object.fromEntries(Object.entries(value).map(([key, inner]) => [name(key), camel(inner)]));
};

const clientOf = (ask) =>
  new OpenRouter({
    apiKey: ask.key ?? undefined,
    serverURL: ask.url,
    ...(ask.defaults ? {} : { retryConfig: { strategy: "none" } }),
    ...(ask.timeout ? { timeoutMs: ask.timeout * 1000 } : {}),
  });

async function embed(ask) {
  const answer = await clientOf(ask).embeddings.generate(
    { requestBody: camel(ask.members) },
    { headers: ask.headers },
  );
  return {
    id: answer.id,
    model: answer.model,
    embeddings: answer.data.map((entry) => entry.embedding),
    indices: answer.data.map((entry) => entry.index),
    tokens: answer.usage.promptTokens,
  };
}

async function models(ask) {
  const pages = [];
  for await (const page of await clientOf(ask).embeddings.listModels(ask.members)) {
    pages.push(page.result.data.map((model) => model.id));
  }
  return { pages };
}

const describe = (error) =>
  error instanceof OpenRouterError
    ? {
        status: error.statusCode,
        headers: headersOf(error.headers),
        body: error.body,
        code: error.error?.code,
        metadata: error.error?.metadata,
      }
    : undefined;

await serve("@openrouter/sdk", (ask) => (ask.call === "models" ? models(ask) : embed(ask)), describe);
