import type { Catalog } from '../domain/catalog.ts';
import type { LoadedConfig } from './config/loaded-config.ts';

export interface Ready {
  readonly gateway: string;
  readonly admin: string;
  /** The demo key; undefined outside `dev`. */
  readonly key: string | undefined;
  readonly pid: number;
  readonly adminTokenFile: string;
}

/** The one line of `--json`. */
export function readyJson(ready: Ready): string {
  const { gateway, admin, key, pid, adminTokenFile } = ready;
  return JSON.stringify({
    gateway,
    admin,
    ...(key === undefined ? {} : { key }),
    pid,
    admin_token_file: adminTokenFile,
  });
}

/** What a person sees: where everything is, and lines to paste. */
export function readyText(ready: Ready, mode: 'dev' | 'up', config: LoadedConfig): string {
  const sellsModels = config.catalog.models.size > 0;
  const models = `        (models below ${ready.gateway}/v1, OpenAI-compatible)`;
  const lines = [
    '',
    `  Gateway      ${ready.gateway}${sellsModels ? models : ''}`,
    `  Admin API    ${ready.admin}        (token in ${ready.adminTokenFile})`,
    `  Settings     ${config.file}`,
  ];
  if (mode === 'up' || ready.key === undefined)
    return [...lines, '', '  Ctrl-C stops it.', ''].join('\n');
  return [
    ...lines,
    `  Demo key     ${ready.key}`,
    '',
    `  All money here is play money: ${isBuiltin(config.catalog) ? 'nothing leaves this machine and ' : ''}nobody is charged.`,
    '',
    ...demoLines(ready.gateway, ready.key, config.catalog),
    '  See what is left:',
    '',
    `    curl ${ready.gateway}/v1/usage -H "Authorization: Bearer ${ready.key}"`,
    '',
    '  A 402 carries a link: open it, add test money, and the same call works. Ctrl-C stops it.',
    '',
  ].join('\n');
}

/** Of what the demo sells, the lines that this configuration answers. */
function demoLines(gateway: string, key: string, { models, apis }: Catalog): readonly string[] {
  const chat = [
    '  Call a model (a few times, until the credit is gone and the answer is 402):',
    '',
    `    curl -i ${gateway}/v1/chat/completions -H "Authorization: Bearer ${key}" \\`,
    `      -H "Content-Type: application/json" -d '{"model":"echo","messages":[{"role":"user","content":"hello"}]}'`,
    '',
  ];
  const weather = [
    '  Call the demo API:',
    '',
    `    curl -i "${gateway}/demo/weather?city=Oslo" -H "Authorization: Bearer ${key}"`,
    '',
  ];
  const paths = apis.flatMap(({ routes }) => routes.map(({ match }) => match.path.value));
  return [...(models.has('echo') ? chat : []), ...(paths.includes('/demo/weather') ? weather : [])];
}

/** Calls are answered by this program itself, and go nowhere else. */
function isBuiltin({ upstreams }: Catalog): boolean {
  const targets = [...upstreams.values()].flatMap((upstream) => upstream.targets);
  return targets.every(({ url }) => url.startsWith('builtin:'));
}
