import { renderUnitsModel } from '../../chaos/customer.ts';

interface UnitsTerms {
  /** Of the customer, in USD. */
  readonly credit: string;
  /** Further lines of the configuration. */
  readonly settings?: string;
}

/** The model of units, and one customer with money for some. */
export function renderUnitsConfig(origin: string, { credit, settings = '' }: UnitsTerms): string {
  return `
version: 1
${settings}
${renderUnitsModel(origin)}
plans:
  lab: { title: Lab, price: 1.00 USD / month, limits: [{ requests: 10M, per: lifetime }] }
demo:
  customer: { name: Lab, plan: lab }
  credit: ${credit} USD
`;
}
