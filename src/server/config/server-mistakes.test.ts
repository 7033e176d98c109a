import { describe } from 'vitest';
import { type MistakeCase, lines, testMistakes } from '../../../test/support/check-config.ts';

const SERVER: readonly MistakeCase[] = [
  {
    name: 'ports',
    yaml: lines('version: 1', 'server:', '  port: 70000', '  admin_port: http'),
    problems: [
      'tollkeeper.yaml:3:9 server.port: must be at most 65535, got 70000',
      'tollkeeper.yaml:4:15 server.admin_port: expected a whole number from 0 to 65535, got "http"',
    ],
  },
  {
    name: 'the same port twice',
    yaml: lines('version: 1', 'server: { port: 8080, admin_port: 8080 }'),
    problems: [
      "tollkeeper.yaml:2:35 server.admin_port: is the gateway's own port (8080): the admin API needs another",
    ],
  },
  {
    name: 'workers',
    yaml: lines('version: 1', 'server:', '  workers: many'),
    problems: [
      'tollkeeper.yaml:3:12 server.workers: expected a whole number from 1 to 256, got "many"',
    ],
  },
  {
    name: 'a public URL with a path',
    yaml: lines('version: 1', 'server:', '  public_url: https://example.com/api'),
    problems: [
      'tollkeeper.yaml:3:15 server.public_url: expected an origin such as "https://api.example.com", without a path, got "https://example.com/api"',
    ],
  },
  {
    name: 'durations and sizes without or with a wrong unit, or out of bounds',
    yaml: lines(
      'version: 1',
      'server:',
      '  drain: 30',
      '  keep_alive: 5 parsecs',
      '  header_max: 2MB',
      '  header_timeout: 1ms',
    ),
    problems: [
      'tollkeeper.yaml:3:10 server.drain: expected a duration such as "10s", "2m" or "500ms", got "30"',
      'tollkeeper.yaml:4:15 server.keep_alive: expected a duration such as "10s", "2m" or "500ms", got "5 parsecs"',
      'tollkeeper.yaml:5:15 server.header_max: must be between 1024 and 1048576 bytes, got "2MB"',
      'tollkeeper.yaml:6:19 server.header_timeout: must be between 100ms and 10m, got "1ms"',
    ],
  },
  {
    name: 'a proxy range',
    yaml: lines('version: 1', 'server:', '  trusted_proxies: [10.0.0.0/8, 10.0.0.0/64, office]'),
    problems: [
      'tollkeeper.yaml:3:33 server.trusted_proxies[1]: expected an address or a range such as 10.0.0.0/8, got "10.0.0.0/64"',
      'tollkeeper.yaml:3:46 server.trusted_proxies[2]: expected an address or a range such as 10.0.0.0/8, got "office"',
    ],
  },
  {
    name: 'a certificate that is not there, a key that is missing',
    yaml: lines('version: 1', 'server:', '  tls: { cert: /nowhere/cert.pem }'),
    problems: [
      'tollkeeper.yaml:3:3 server.tls.key: is required',
      'tollkeeper.yaml:3:16 server.tls.cert: cannot read the file /nowhere/cert.pem: there is no such file',
    ],
  },
  {
    name: 'a connection string that is none, without a word of it',
    yaml: lines('version: 1', 'store: postgre://me:pass-word@host/books'),
    problems: [
      'tollkeeper.yaml:2:1 store.url: expected postgres://user:password@host:5432/database',
    ],
  },
  {
    name: 'a connection string without a database',
    yaml: lines('version: 1', 'store: { type: postgres, url: "postgres://me:p%ZZ@host/" }'),
    problems: [
      'tollkeeper.yaml:2:31 store.url: expected postgres://user:password@host:5432/database, with special characters written as %40',
    ],
  },
  {
    name: 'a time of the connection that is no number',
    yaml: lines(
      'version: 1',
      'store: { type: postgres, url: "postgres://me:pass@host/books?statement_timeout=abc&lock_timeout=100" }',
    ),
    problems: [
      'tollkeeper.yaml:2:31 store.url: its parameter statement_timeout must be a whole number of milliseconds',
    ],
  },
  {
    name: 'a database without its address',
    yaml: lines('version: 1', 'store: postgres'),
    problems: [
      'tollkeeper.yaml:2:1 store.url: is required with type postgres: postgres://user:password@host:5432/database',
    ],
  },
  {
    name: 'an address of a store that has none',
    yaml: lines(
      'version: 1',
      'store: { url: "postgres://me:pass-word@host/books", connections: 9 }',
    ),
    problems: [
      'tollkeeper.yaml:2:15 store.url: needs type: postgres',
      'tollkeeper.yaml:2:66 store.connections: needs type: postgres',
    ],
  },
  {
    name: 'a store that does not exist',
    yaml: lines('version: 1', 'store: mysql'),
    problems: ['tollkeeper.yaml:2:1 store.type: expected "sqlite" or "postgres", got "mysql"'],
  },
  {
    name: 'an asset that is no currency',
    yaml: lines('version: 1', 'asset: dollars'),
    problems: ['tollkeeper.yaml:2:8 asset: expected the code of a currency, such as USD'],
  },
];

const UPSTREAMS: readonly MistakeCase[] = [
  {
    name: 'neither url nor targets, and both (GW-06)',
    yaml: lines(
      'version: 1',
      'upstreams:',
      '  none: {}',
      '  both: { url: http://a.example, targets: [http://b.example] }',
    ),
    problems: [
      'tollkeeper.yaml:3:3 upstreams.none: needs "url" or "targets"',
      'tollkeeper.yaml:4:43 upstreams.both.targets: cannot stand beside "url": give one of the two',
    ],
  },
  {
    name: 'weights that leave no traffic to anybody (GW-06)',
    yaml: lines(
      'version: 1',
      'upstreams:',
      '  idle: { targets: [{ url: http://a.example, weight: 0 }] }',
      '  odd: { targets: [{ url: http://a.example, weight: -1 }] }',
    ),
    problems: [
      'tollkeeper.yaml:3:20 upstreams.idle.targets: needs one target with a weight above 0',
      'tollkeeper.yaml:4:53 upstreams.odd.targets[0].weight: must be at least 0, got -1',
    ],
  },
  {
    name: 'URLs of other kinds',
    yaml: lines(
      'version: 1',
      'upstreams:',
      '  a: { url: "ftp://a.example" }',
      '  b: { url: "http://user:secret@b.example" }',
      '  c: { url: "builtin:shop" }',
    ),
    problems: [
      'tollkeeper.yaml:3:13 upstreams.a.url: expected a URL such as "http://127.0.0.1:9000" or "https://api.example.com/v1", got "ftp://a.example"',
      'tollkeeper.yaml:4:13 upstreams.b.url: must not contain a user or password: those go into headers, under "credentials"',
      'tollkeeper.yaml:5:13 upstreams.c.url: "builtin:shop" does not exist: there are builtin:echo and builtin:demo',
    ],
  },
  {
    name: 'headers that would smuggle (GW-08)',
    yaml: lines(
      'version: 1',
      'upstreams:',
      '  a:',
      '    url: http://a.example',
      '    credentials:',
      '      Transfer-Encoding: chunked',
      '      "x y": "1"',
      '      x-two-lines: "a\\r\\nb: c"',
    ),
    problems: [
      'tollkeeper.yaml:6:7 upstreams.a.credentials.Transfer-Encoding: "transfer-encoding" belongs to the transport and cannot be set',
      'tollkeeper.yaml:7:7 upstreams.a.credentials["x y"]: "x y" is not a header name',
      'tollkeeper.yaml:8:20 upstreams.a.credentials.x-two-lines: must be printable ASCII, without line ends: a secret file with more than one line?',
    ],
  },
  {
    name: 'a key twice in different places',
    yaml: lines(
      'version: 1',
      'providers:',
      '  a:',
      '    base_url: http://a.example',
      '    api_key: sk-1',
      '    credentials: { authorization: Bearer sk-2 }',
    ),
    problems: [
      'tollkeeper.yaml:5:14 providers.a.api_key: cannot stand beside credentials.authorization: both are the same header',
    ],
  },
  {
    name: 'models without a price, with too long answers, of nobody',
    yaml: lines(
      'version: 1',
      'providers: { openai: { base_url: https://api.openai.com/v1 } }',
      'models:',
      '  a: { provider: openai, context_window: 1000 }',
      '  b: { provider: openai, context_window: 1k, max_output_tokens: 2k, price: free }',
      '  c: { provider: opneai, context_window: 1k, price: free }',
      '  d: { provider: anthropic, context_window: 1k, price: free }',
    ),
    problems: [
      'tollkeeper.yaml:4:3 models.a.price: is required',
      'tollkeeper.yaml:5:65 models.b.max_output_tokens: is more than the context window of 1000',
      'tollkeeper.yaml:6:18 models.c.provider: there is no provider "opneai". Did you mean "openai"?',
      'tollkeeper.yaml:7:18 models.d.provider: there is no provider "anthropic": there are openai',
    ],
  },
  {
    name: 'aliases of nothing, of aliases, of themselves',
    yaml: lines(
      'version: 1',
      'providers: { p: { base_url: http://a.example } }',
      'models: { echo: { provider: p, context_window: 1k, price: free } }',
      'aliases:',
      '  a: echoo',
      '  b: a',
      '  echo: echo',
    ),
    problems: [
      'tollkeeper.yaml:5:6 aliases.a: there is no model "echoo". Did you mean "echo"?',
      'tollkeeper.yaml:6:6 aliases.b: "a" is an alias itself: name the model',
      'tollkeeper.yaml:7:3 aliases.echo: "echo" is the name of a model already',
    ],
  },
];

describe('a mistake about the server or its upstreams is told with file, line, key and the nearest right word', () => {
  testMistakes({ SERVER, UPSTREAMS });
});
