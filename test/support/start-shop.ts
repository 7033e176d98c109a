import { type MidMonth, startMidMonth } from './start-mid-month.ts';
import { startWorkshop, type Workshop } from './start-workshop.ts';

export interface Shop extends MidMonth {
  readonly workshop: Workshop;
}

export interface ShopTerms {
  /** Of the route `/work`, as members of a YAML flow mapping. */
  readonly work: string;
  /** Lines below `plans:` and after them, down to the end of the file. */
  readonly rest: string;
  readonly connectionsMax: number;
}

/** A mid-month gateway in front of a workshop, for calls of `/work` alone. */
export async function startShop({ work, rest, connectionsMax }: ShopTerms): Promise<Shop> {
  const workshop = await startWorkshop();
  const config = `
version: 1
retry_storm_per_minute: 0
upstreams:
  shop: { url: "${workshop.origin}" }
apis:
  shop:
    upstream: shop
    routes: [{ name: work, path: /work, ${work} }]
plans:
${rest}
`;
  try {
    const lab = await startMidMonth(config, connectionsMax);
    const close = async (): Promise<void> => {
      await lab.close();
      await workshop.close();
    };
    return { ...lab, workshop, close };
  } catch (error) {
    await workshop.close();
    throw error;
  }
}
