// client.mjs NODE_MODULES URL ITEMS CALLS: what sdk_bench measures, of openai for JavaScript.
const { default: OpenAI } = await import(process.argv[2] + "/openai/index.mjs");
const [url, items, calls] = [process.argv[3] + "/v1", Number(process.argv[4]), Number(process.argv[5])];
const texts = Array.from({ length: items }, (_, i) => `a text of some length, number ${i}`);
const client = new OpenAI({ apiKey: "key", baseURL: url });
const call = () => client.embeddings.create({ input: texts, model: String(items) });
for (let i = 0; i < 20; ++i) await call();
const took = [];
const cpu = process.cpuUsage();
const begin = performance.now();
for (let i = 0; i < calls; ++i) {
  const before = performance.now();
  await call();
  took.push((performance.now() - before) * 1e3);
}
const seconds = (performance.now() - begin) / 1e3;
const used = process.cpuUsage(cpu);
took.sort((a, b) => a - b);
const at = (share) => Number(took[Math.floor(share * (took.length - 1))].toFixed(1));
console.log(JSON.stringify({
  calls_per_s: Number((calls / seconds).toFixed(1)), cpu_us: Number(((used.user + used.system) / calls).toFixed(1)),
  p50_us: at(0.5), p99_us: at(0.99),
}));
