import { describe, expect, it } from 'vitest';

import { readDemoConfig } from './config/demo-config.ts';
import { type ConfigSource, loadConfig } from './config/load-config.ts';
import type { LoadedConfig } from './config/loaded-config.ts';
import { type Ready, readyJson, readyText } from './ready-text.ts';

const READY: Ready = {
  gateway: 'http://localhost:4020',
  admin: 'http://127.0.0.1:4021',
  key: 'tk_test_abc',
  pid: 7,
  adminTokenFile: '/data/admin.token',
};
const OWN: ConfigSource = {
  text: `version: 1
upstreams: { main: { url: 'http://api.example.com' } }
apis: { main: { upstream: main, routes: [{ name: all, path_prefix: / }] } }
plans: { free: { title: Free, price: free } }
`,
  file: 'my.yaml',
};
const config = (source: ConfigSource = OWN): LoadedConfig => {
  const loaded = loadConfig(source, { env: {} });
  if (loaded.kind === 'invalid') throw new Error('the configuration is wrong');
  return loaded.config;
};

it('--json is one line that a program reads, without a key when there is none', () => {
  const json = {
    gateway: READY.gateway,
    admin: READY.admin,
    pid: 7,
    admin_token_file: '/data/admin.token',
  };
  expect(readyJson(READY)).not.toContain('\n');
  expect(JSON.parse(readyJson(READY))).toEqual({ ...json, key: 'tk_test_abc' });
  expect(JSON.parse(readyJson({ ...READY, key: undefined }))).toEqual(json);
});

describe('readyText', () => {
  it('in dev: the key, that the money is not real, and lines to paste', () => {
    const text = readyText(READY, 'dev', config(readDemoConfig()));
    for (const part of [READY.gateway, READY.admin, READY.adminTokenFile, 'demo.yaml'])
      expect(text).toContain(part);
    expect(text).toContain('play money: nothing leaves this machine and nobody is charged.');
    const commands = text.split('\n').filter((line) => line.trim().startsWith('curl'));
    expect(commands).toHaveLength(3);
    expect(text.match(/Authorization: Bearer tk_test_abc/g)).toHaveLength(3);
  });

  it("in dev with a configuration of one's own: no line that it would not answer, and no word on where calls go", () => {
    const text = readyText(READY, 'dev', config());
    expect(text).toContain('my.yaml');
    expect(text).toContain('play money: nobody is charged.');
    const commands = text.split('\n').filter((line) => line.trim().startsWith('curl'));
    expect(commands).toEqual([expect.stringContaining('/v1/usage')]);
  });

  it.each<[string, Ready, 'dev' | 'up']>([
    ['up', READY, 'up'],
    ['dev without a demo', { ...READY, key: undefined }, 'dev'],
  ])('%s tells where everything is and nothing of keys', (_what, ready, mode) => {
    const text = readyText(ready, mode, config());
    expect(text).toContain(READY.gateway);
    expect(text).toContain('Ctrl-C stops it.');
    expect(text).not.toMatch(/tk_test|play money|curl/);
    // This one sells none.
    expect(text).not.toContain('models');
  });
});
