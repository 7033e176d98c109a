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
    '  All money here is play money: nothing leaves this machine and nobody is charged.',
    '',
    '  Call a model (a few times, until the credit is gone and the answer is 402):',
    '',
    `    curl -i ${ready.gateway}/v1/chat/completions -H "Authorization: Bearer ${ready.key}" \\`,
    `      -H "Content-Type: application/json" -d '{"model":"echo","messages":[{"role":"user","content":"hello"}]}'`,
    '',
    '  Call the demo API:',
    '',
    `    curl -i "${ready.gateway}/demo/weather?city=Oslo" -H "Authorization: Bearer ${ready.key}"`,
    '',
    '  See what is left:',
    '',
    `    curl ${ready.gateway}/v1/usage -H "Authorization: Bearer ${ready.key}"`,
    '',
    '  A 402 carries a link: open it, add test money, and the same call works. Ctrl-C stops it.',
    '',
  ].join('\n');
}
