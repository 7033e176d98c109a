import { existsSync, readFileSync } from 'node:fs';
import { join, resolve } from 'node:path';

import { describe, expect, it } from 'vitest';
import { parse } from 'yaml';

const root = resolve(import.meta.dirname, '..');
const read = (file: string): string => readFileSync(join(root, file), 'utf8');
const manifest = JSON.parse(read('package.json')) as {
  readonly bin: { readonly tollkeeper: string };
  readonly scripts: Readonly<Record<string, string>>;
};
// Longer than the default of server.drain, or a deploy would cut the streams it means to finish.
const drainSeconds = 30;

describe('deploy/Dockerfile', () => {
  const instructions = read('deploy/Dockerfile')
    .replaceAll('\\\n', ' ')
    .split('\n')
    .filter((line) => line !== '' && !line.startsWith('#'))
    .map((line) => {
      const [name = '', ...rest] = line.split(/\s+/);
      return { name, rest: rest.join(' ') };
    });
  const all = (name: string): readonly string[] =>
    instructions.filter((each) => each.name === name).map((each) => each.rest);

  it('knows every instruction it uses', () => {
    const known = 'FROM WORKDIR COPY RUN ENV USER VOLUME EXPOSE HEALTHCHECK ENTRYPOINT CMD'.split(
      ' ',
    );
    expect(instructions.map((each) => each.name).filter((name) => !known.includes(name))).toEqual(
      [],
    );
  });

  it('builds and runs on the Node that package.json supports, in two stages', () => {
    expect(all('FROM')).toEqual(['node:20.20-bookworm-slim AS build', 'node:20.20-bookworm-slim']);
  });

  it('copies what exists, and lets the ignore file through with it', () => {
    const sources = all('COPY')
      .filter((copy) => !copy.startsWith('--from='))
      .flatMap((copy) => copy.split(' ').slice(0, -1));
    expect(sources.filter((source) => !existsSync(join(root, source)))).toEqual([]);
    const allowed = read('deploy/Dockerfile.dockerignore').split('\n');
    expect(sources.filter((source) => !allowed.includes(`!${source}`))).toEqual([]);
  });

  it('runs scripts that exist', () => {
    const scripts = [
      ...all('RUN')
        .join(' ')
        .matchAll(/npm run (\S+)/g),
    ].map((match) => match[1]);
    expect(scripts.length).toBeGreaterThan(0);
    expect(scripts.filter((name) => manifest.scripts[name ?? ''] === undefined)).toEqual([]);
  });

  it('starts the executable of package.json as a user without rights', () => {
    expect(JSON.parse(all('ENTRYPOINT')[0] ?? '')).toEqual(['node', manifest.bin.tollkeeper]);
    expect(all('CMD')).toEqual(['["up"]']);
    expect(all('USER')).toEqual(['node']);
  });

  it('asks the gateway itself whether it is ready', () => {
    expect(all('HEALTHCHECK')[0]).toContain('http://127.0.0.1:4020/readyz');
    expect(all('EXPOSE')).toEqual(['4020']);
  });
});

it('deploy/compose.yaml publishes the gateway and not the admin API, and lets it drain', () => {
  const compose = parse(read('deploy/compose.yaml')) as {
    readonly services: { readonly tollkeeper: Readonly<Record<string, unknown>> };
    readonly volumes: Readonly<Record<string, unknown>>;
  };
  const service = compose.services.tollkeeper;
  expect(service).toMatchObject({
    build: { context: '..', dockerfile: 'deploy/Dockerfile' },
    ports: ['4020:4020'],
    read_only: true,
    cap_drop: ['ALL'],
  });
  expect(service['volumes']).toContain('data:/var/lib/tollkeeper');
  expect(compose.volumes).toHaveProperty('data');
  expect(Number.parseInt(String(service['stop_grace_period']), 10)).toBeGreaterThan(drainSeconds);
});

describe('deploy/tollkeeper.service', () => {
  const unit = read('deploy/tollkeeper.service');
  const valuesOf = (key: string): readonly string[] =>
    [...unit.matchAll(new RegExp(`^${key}=(.*)$`, 'gm'))].map((match) => match[1] ?? '');

  it('is an INI file of the three sections', () => {
    const lines = unit.split('\n').filter((line) => line !== '' && !line.startsWith('#'));
    expect(lines.filter((line) => line.startsWith('['))).toEqual([
      '[Unit]',
      '[Service]',
      '[Install]',
    ]);
    expect(lines.filter((line) => !/^(\[\w+\]|[A-Z]\w+=.+)$/.test(line))).toEqual([]);
  });

  it('runs the command of package.json, without root, with its data where the gateway looks', () => {
    expect(valuesOf('ExecStart')).toEqual(['/usr/bin/env tollkeeper up']);
    expect(Object.keys(manifest.bin)).toContain('tollkeeper');
    expect(valuesOf('DynamicUser')).toEqual(['yes']);
    expect(valuesOf('StateDirectory')).toEqual(['tollkeeper']);
    expect(valuesOf('Environment')).toContain('TOLLKEEPER_DATA=/var/lib/tollkeeper');
  });

  it('stops the supervisor first and waits for it to drain', () => {
    expect(valuesOf('KillMode')).toEqual(['mixed']);
    expect(Number(valuesOf('TimeoutStopSec')[0])).toBeGreaterThan(drainSeconds);
  });
});
