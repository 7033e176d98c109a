import { z } from 'zod';
import { checkCustomisation } from '../../../contract/check-customisation.ts';
import { CODES } from '../../../contract/codes.ts';
import type { Code } from '../../../contract/codes.ts';
import type { CustomisationRule } from '../../../contract/customisation.ts';
import { LANGUAGES } from '../../../contract/languages.ts';
import { idName, listOf, report } from './parts.ts';

const RULES_MAX = 256;
const SUBJECTS = ['api', 'tenant', 'code', 'language'];

const texts = {
  title: z.string().exactOptional().describe('Of the body: "Account overdue".'),
  message: z
    .string()
    .exactOptional()
    .describe(
      'Words in brackets, with what to say without them: "[You used {current_usage}|All is used]"',
    ),
};

const code = z
  .enum(Object.keys(CODES) as [Code, ...Code[]], {
    error: ({ input }) => `there is no code "${String(input)}": docs/errors has them all`,
  })
  .exactOptional()
  .describe('Only refusals of this cause: INVOICE_OVERDUE');

const brand = z.strictObject({
  name: z.string().describe('Shown on pages.'),
  logo_url: z.string().exactOptional().describe('An https address.'),
  color: z.string().exactOptional().describe('"#0b57c2"'),
  support_url: z.string().exactOptional().describe('An http(s) or mailto address.'),
});

const translation = z.strictObject(texts).exactOptional();
const language = z.enum(LANGUAGES);

/** How the provider words its refusals (C402-11); a later rule wins, and one that says more about whom it is for. */
export const customisations = listOf(
  z
    .strictObject({
      api: idName.exactOptional().describe('Only refusals of this API.'),
      tenant: z.string().max(64).exactOptional().describe('Only refusals of this customer.'),
      code,
      ...texts,
      language: language.exactOptional().describe('Of title and message; default: en.'),
      translations: z
        .strictObject({
          en: translation.describe('English.'),
          de: translation.describe('German.'),
          es: translation.describe('Spanish.'),
          zh: translation.describe('Chinese.'),
        })
        .exactOptional()
        .describe('For callers who read another language.'),
      link: z
        .string()
        .exactOptional()
        .describe('Instead of the link that resolves it: "/help/{code}"'),
      fields: z
        .record(
          z.string(),
          z.union([z.string(), z.number(), z.boolean()], {
            error: 'expected text, a number, or true or false',
          }),
        )
        .exactOptional()
        .describe('More members of the body.'),
      brand: brand.exactOptional().describe('Whose pages they are.'),
    })
    .superRefine((rule: CustomisationRule, context) => {
      if (Object.keys(rule).every((key) => SUBJECTS.includes(key))) {
        report(
          context,
          [],
          'needs something to change: title, message, translations, link, fields or brand',
        );
      }
      for (const { field, problem } of checkCustomisation(rule)) {
        report(context, pathOf(field), problem);
      }
    }),
  RULES_MAX,
);

/** `translations.de.message`; what follows `fields.` is one name. */
function pathOf(field: string): readonly string[] {
  const [first = '', ...rest] = field.split('.');
  return first === 'fields' && rest.length > 0 ? [first, rest.join('.')] : [first, ...rest];
}
