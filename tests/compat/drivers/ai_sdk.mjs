// @openrouter/ai-sdk-provider under the AI SDK.
import { createOpenRouter } from "@openrouter/ai-sdk-provider";
import { APICallError, embed, embedMany } from "ai";
import { serve } from "./driver.mjs";

async function call(ask) {
  const { input, model: name, user, provider, ...extraBody } = ask.members;
  const openrouter = createOpenRouter({ apiKey: ask.key, baseURL: ask.url, headers: ask.headers, extraBody });
  const model = openrouter.textEmbeddingModel(name, { user, provider });
  const settings = {
    ...(ask.defaults ? {} : { maxRetries: 0 }),
    ...(ask.timeout ? { abortSignal: AbortSignal.timeout(ask.timeout * 1000) } : {}),
  };
  if (typeof input === "string") {
    const { embedding, usage } = await embed({ model, value: input, ...settings });
    return { embeddings: [embedding], tokens: usage.tokens };
  }
  const { embeddings, usage } = await embedMany({ model, values: input, ...settings });
  return { embeddings, tokens: usage.tokens };
}

const describe = (error) =>
  APICallError.isInstance(error)
    ? {
        status: error.statusCode,
        headers: error.responseHeaders,
        body: error.responseBody,
        code: error.data?.error?.code,
        metadata: error.data?.error?.metadata,
      }
    : undefined;

await serve("@openrouter/ai-sdk-provider", call, describe);
