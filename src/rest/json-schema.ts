/** From the schemas that check what comes to JSON Schema, as an OpenAPI description has it. */
import * as z from 'zod';

export type JsonSchema = Record<string, unknown>;

/** What the API server calls by names of its own is said in JSON Schema's. */
export function schemaOf(schema: z.ZodType): JsonSchema {
  const { $schema: _, ...described } = z.toJSONSchema(schema, {
    io: 'input',
    unrepresentable: 'any',
    override: ({ jsonSchema }) => translate(jsonSchema as JsonSchema),
  });
  return described;
}

/** Numbers that are written without an exponent; text as the API server takes it, but no zero. */
const SIZE = {
  type: ['number', 'string'],
  minimum: 1e-6,
  exclusiveMaximum: 1e15,
  maxLength: 32,
  not: { type: 'string', pattern: '^[0.]+[a-zA-Z]*$' },
};

function translate(schema: JsonSchema): void {
  const rules = (schema['x-kubernetes-validations'] ?? []) as { rule: string }[];
  if (schema['x-kubernetes-int-or-string']) Object.assign(schema, SIZE);
  for (const { rule } of rules) {
    const [, not, pattern] = /^(!?)(?:self|string\(self\))\.matches\(r?'(.*?)'\)/.exec(rule) ?? [];
    if (pattern === undefined) continue;
    if (not) schema.not = { pattern: portable(pattern) };
    else schema.pattern = portable(pattern);
  }
  for (const key of Object.keys(schema)) if (key.startsWith('x-kubernetes-')) delete schema[key];
}

/** Names of classes of characters are not known to every reader of JSON Schema; those that they stand for are. */
const portable = (pattern: string) =>
  pattern.replace('\\p{Cc}\\p{Zl}\\p{Zp}', '\\u0000-\\u001f\\u007f-\\u009f\\u2028\\u2029');

export const ref = (name: string) => ({ $ref: `#/components/schemas/${name}` });
export const json = (schema: JsonSchema) => ({ content: { 'application/json': { schema } } });
