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

function translate(schema: JsonSchema): void {
  const rules = schema['x-kubernetes-validations'] as { rule: string; message: string }[] | undefined;
  if (schema['x-kubernetes-int-or-string']) Object.assign(schema, { type: ['number', 'string'], maxLength: 32 });
  const [, pattern] = rules?.map(({ rule }) => /^self\.matches\(r?'(.*)'\)$/.exec(rule)).find(Boolean) ?? [];
  if (pattern !== undefined) schema.pattern = pattern;
  for (const key of Object.keys(schema)) if (key.startsWith('x-kubernetes-')) delete schema[key];
}

export const ref = (name: string) => ({ $ref: `#/components/schemas/${name}` });
export const json = (schema: JsonSchema) => ({ content: { 'application/json': { schema } } });
