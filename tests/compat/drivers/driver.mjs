// What the JavaScript drivers share; driver.py says what an ask and an answer are.
import { readFileSync } from "node:fs";
import { createInterface } from "node:readline";

const say = (line) => process.stdout.write(JSON.stringify(line) + "\n");

// `call(ask)` resolves to a result; `describe(error)` to its fields, nothing if it has no status.
export async function serve(packageName, call, describe) {
  const manifest = new URL(`../node_modules/${packageName}/package.json`, import.meta.url);
  say({ version: JSON.parse(readFileSync(manifest)).version });
  const answer = async (ask) => {
    try {
      say({ id: ask.id, result: await call(ask) });
    } catch (error) {
      const fields = describe(error) ?? { trace: String(error?.stack) };
      say({ id: ask.id, error: { class: error.constructor.name, message: error.message, ...fields } });
    }
  };
  for await (const line of createInterface({ input: process.stdin })) answer(JSON.parse(line));
  process.exit(0);
}

export const headersOf = (headers) => Object.fromEntries(headers?.entries?.() ?? Object.entries(headers ?? {}));
