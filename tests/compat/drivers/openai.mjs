// openai for JavaScript.
import OpenAI from "openai";
import { headersOf, serve } from "./driver.mjs";

async function embed(ask) {
  const client = new OpenAI({
    apiKey: ask.key,
    baseURL: ask.url,
    ...(ask.defaults ? {} : { maxRetries: 0 }),
    ...(ask.timeout ? { timeout: ask.timeout * 1000 } : {}),
  });
  const answer = await client.embeddings.create(ask.members, { headers: ask.headers });
  return {
    id: answer.id,
    model: answer.model,
    embeddings: answer.data.map((entry) => (typeof entry.embedding === "string" ? entry.embedding : Array.from(entry.embedding))),
    indices: answer.data.map((entry) => entry.index),
    tokens: answer.usage.prompt_tokens,
  };
}

const describe = (error) =>
  error instanceof OpenAI.APIError && error.status
    ? {
        status: error.status,
        headers: headersOf(error.headers),
        message: error.error.message,
        code: error.code,
        metadata: error.error.metadata,
      }
    : undefined;

await serve("openai", embed, describe);
