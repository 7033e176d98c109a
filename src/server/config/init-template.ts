/** The answers of `tollkeeper init`. */
export interface InitAnswers {
  readonly sells: 'api' | 'llm' | 'both';
  /** Base URL of the API to sell; for `api` and `both`. */
  readonly upstreamUrl?: string | undefined;
  /** `0.001 USD`: price of one call of the API. */
  readonly pricePerRequest?: string | undefined;
  /** Base URL of the OpenAI-compatible server; for `llm` and `both`. */
  readonly modelBaseUrl?: string | undefined;
  /** The model to sell, by its provider's name. */
  readonly model?: string | undefined;
  /** What the first line points editors to: a path or URL of the schema. */
  readonly schemaUrl: string;
}

/** A commented tollkeeper.yaml for somebody's own API, models or both. Loads as it is (with OPENAI_API_KEY set). */
export function writeInitTemplate(answers: InitAnswers): string {
  const parts = [header(answers.schemaUrl)];
  if (answers.sells !== 'llm')
    parts.push(upstreamPart(answers.upstreamUrl ?? 'http://127.0.0.1:9000'));
  if (answers.sells !== 'api') parts.push(modelPart(answers));
  parts.push('# What callers can call.\napis:');
  if (answers.sells !== 'llm') parts.push(apiPart(answers.pricePerRequest ?? '0.001 USD'));
  if (answers.sells !== 'api') parts.push(LLM_API);
  parts.push('', PLANS);
  return `${parts.join('\n')}\n`;
}

/** The variables the template reads, for `.env.example`. */
export function writeInitEnvironment(answers: Pick<InitAnswers, 'sells'>): string {
  const key = `# Variables of the configuration. Tollkeeper does not read this file: copy it to .env, fill it in, and load it with
#   set -a; . ./.env; set +a
# Key of your account at the model provider.
OPENAI_API_KEY=
`;
  return answers.sells === 'api' ? '# Nothing is needed yet.\n' : key;
}

/** As YAML: what people type into a prompt must not become structure. */
function quote(text: string): string {
  return JSON.stringify(text);
}

function header(schemaUrl: string): string {
  return `# yaml-language-server: $schema=${schemaUrl.replaceAll(/\s/g, '')}
#
# Tollkeeper: what you sell, to whom, and where it is forwarded to.
# \`npx tollkeeper check\` tells what is wrong with this file; \`npx tollkeeper up\` runs it.
# A running gateway takes changes of this file by itself, and keeps the old ones on an error.
# Secrets: \${NAME} reads a variable, \${NAME:-default} has a default, file:/run/secrets/name a file.
version: 1
asset: USD

server:
  port: 4020 # callers
  admin_port: 4021 # you; on this machine only
  # host: 0.0.0.0                       # to be reached from other machines
  # public_url: https://api.example.com # for the links in answers
  # tls: { cert: cert.pem, key: key.pem }

# redis: \${REDIS_URL} # Redis or Valkey, when several machines share rate limits: rediss://user:password@host:6379
`;
}

function upstreamPart(url: string): string {
  return `# Your servers. Several targets share the traffic by weight:
#   targets: [{ url: http://10.0.0.1:9000, weight: 3 }, { url: http://10.0.0.2:9000 }]
upstreams:
  main:
    url: ${quote(url)}
    # health: { path: /healthz, interval: 5s }
    # credentials: { authorization: 'Bearer \${UPSTREAM_TOKEN}' } # callers never see it
`;
}

function modelPart({ modelBaseUrl, model = 'gpt-4.1-mini' }: InitAnswers): string {
  return `# Servers of AI models: any that speaks the OpenAI format.
providers:
  main:
    base_url: ${quote(modelBaseUrl ?? 'https://api.openai.com/v1')}
    api_key: \${OPENAI_API_KEY}

# What you charge is yours to say. The numbers here are examples: set them above what you pay.
models:
  ${quote(model)}:
    provider: main
    context_window: 128k
    max_output_tokens: 16384
    price:
      input: 0.80 USD / 1M tokens
      output: 3.20 USD / 1M tokens

aliases:
  default-chat: ${quote(model)}
`;
}

function apiPart(price: string): string {
  return `  main:
    upstream: main
    # cors: { origins: ['https://app.example.com'] } # pages that may call from a browser
    routes:
      - name: health
        path: /health
        methods: [GET]
        class: free # no key, no charge
      - name: all
        path_prefix: /
        price: ${quote(price)}
        # feature: reports                       # only for plans that include it
        # requires: [{ feature: pdf, when: { query: { format: pdf } } }] # only when it is asked for
        # rewrite: { strip_prefix: /api }        # how the path looks to your server
        # timeouts: { connect: 2s, headers: 30s, idle: 60s }`;
}

const LLM_API = `  llm: # POST /v1/chat/completions, POST /v1/embeddings, GET /v1/models
    type: llm`;

const PLANS = `# What customers subscribe to. Used-up \`limits\` are answered 402 with a way to buy more;
# \`rate_limits\` are answered 429. Priced calls draw on prepaid credit.
plans:
  free:
    title: Free
    price: free
    limits:
      - { requests: 1000, per: month }
      - { concurrent_requests: 5 }
    rate_limits: [60/min burst 20]
    # context: [{ up_to: 9000 }] # the largest call to a model, in tokens
  pro:
    title: Pro
    price: 29.00 USD / month
    limits:
      - { requests: 100k, per: month }
      - { concurrent_requests: 50 }
      # - { spend: 100.00 USD, per: month }
    rate_limits: [1200/min burst 200]

# What is sold beside plans: once, or by the month.
add_ons:
  more:
    title: 10,000 more requests a month
    price: 5.00 USD / month
    grants: { limits: [{ requests: 10k, per: month }] }

# Prepaid credit on sale.
packs:
  small: { title: 5 dollars of credit, price: 5.00 USD, credit: 5.00 USD }`;
