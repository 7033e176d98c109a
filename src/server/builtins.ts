import type { Catalog } from '../domain/catalog.ts';
import { type BuiltinOrigins, listBuiltins, resolveBuiltins } from './config/resolve-builtins.ts';
import { startDemoApi } from './demo/demo-api.ts';
import { startEchoModel } from './demo/echo-model.ts';

const LOOPBACK = { host: '127.0.0.1', port: 0 };
const NOT_STARTED = 'http://127.0.0.1:9';

interface BuiltinServer {
  readonly origin: string;
  close(): Promise<void>;
}

/** The echo model and the demo API, started when a configuration first names them. */
export class BuiltinServers {
  #echo: BuiltinServer | undefined;
  #demo: BuiltinServer | undefined;

  /** The catalogue with `builtin:` targets replaced by where the servers listen. */
  async resolve(catalog: Catalog): Promise<Catalog> {
    const wanted = listBuiltins(catalog);
    if (wanted.includes('echo')) this.#echo ??= await startEchoModel(LOOPBACK);
    if (wanted.includes('demo')) this.#demo ??= await startDemoApi(LOOPBACK);
    const origins: BuiltinOrigins = {
      echo: this.#echo?.origin ?? NOT_STARTED,
      demo: this.#demo?.origin ?? NOT_STARTED,
    };
    return resolveBuiltins(catalog, origins);
  }

  async close(): Promise<void> {
    await Promise.all([this.#echo?.close(), this.#demo?.close()]);
  }
}
