/** One model whose answers cost a unit of its balance a token, and one customer with money for 1000 USD of them. */
export function renderUnitsConfig(origin: string, settings = ''): string {
  return `
version: 1
${settings}
providers:
  units: { base_url: "${origin}/v1" }
models:
  units:
    provider: units
    upstream_model: echo-1
    context_window: 32768
    max_output_tokens: 64
    price: { input: 0 USD / 1M tokens, output: 1.00 USD / 1M tokens }
apis:
  llm: { type: llm }
plans:
  lab: { title: Lab, price: 1.00 USD / month, limits: [{ requests: 10M, per: lifetime }] }
demo:
  customer: { name: Lab, plan: lab }
  credit: 1000.00 USD
`;
}
